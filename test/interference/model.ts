import { type Boundary, boundaryNode, type Did } from '@stratos/protocol';
import type { Post, World } from './world.ts';

/** What one viewer may see of a world, decided by looking at all of it. */
export class Model {
  readonly world: World;
  readonly viewer: Did;
  readonly scope: readonly Boundary[];

  constructor(world: World, viewer: Did) {
    const heard = world.nodes.filter(({ isHeard }) => isHeard).map(({ did }) => did);
    const own = world.members.filter(({ did, isActive }) => did === viewer && isActive);
    const open = own.filter(({ node }) => heard.includes(node));
    this.world = world;
    this.viewer = viewer;
    this.scope = open.flatMap(({ boundaries }) => boundaries).sort();
  }

  /** The boundaries that a post is shown with; undefined when it is not. */
  shown(post: Post): Boundary[] | undefined {
    const { author, node, readers, flaw } = post;
    if (flaw === 'altered' || (flaw && this.#isNamed(post))) return undefined;
    const boundaries = post.boundaries.filter((one) => boundaryNode(one) === node);
    if (author === this.viewer) return boundaries;
    if (!this.world.actors.some(({ did, isActive }) => did === author && isActive))
      return undefined;
    const [shared, open] = [boundaries, readers].map((all) =>
      all.filter((one) => this.scope.includes(one)),
    );
    return shared?.length && open?.length ? shared : undefined;
  }

  feed({ within, actor, word }: { within?: string; actor?: string; word?: string }): Post[] {
    return this.world.posts
      .filter((post) => this.shown(post) && (!actor || post.author === actor))
      .filter((post) => (actor === this.viewer ? true : this.#isRead(post, within)))
      .filter((post) => !within || this.shown(post)?.some((one) => one === within))
      .filter(({ text }) => !word || text.split(' ').includes(word))
      .sort((a, b) => (rank(a) < rank(b) ? 1 : -1));
  }

  at(uri: string): Post | undefined {
    return this.world.posts
      .filter((post) => post.uri === uri && this.shown(post))
      .sort(
        (a, b) => Number(this.#isNamed(b)) - Number(this.#isNamed(a)) || (a.node < b.node ? -1 : 1),
      )[0];
  }

  referring(kind: 'parent' | 'quote', uri: string): Post[] {
    const all = this.feed({});
    return all.filter((post) => post[kind] === uri).reverse();
  }

  ancestors({ parent }: Post, height = 10): Post[] {
    const found = parent && height > 0 ? new Model(this.#read, this.viewer).at(parent) : undefined;
    return found ? [...this.ancestors(found, height - 1), found] : [];
  }

  /** The world without what its author alone can read. */
  get #read(): World {
    return { ...this.world, posts: this.world.posts.filter((post) => this.#isRead(post)) };
  }

  #isNamed({ uri, node }: Post): boolean {
    return this.world.stubs.some((one) => one.uri === uri && one.node === node);
  }

  #isRead({ readers }: Post, within?: string): boolean {
    return readers.some((one) => this.scope.includes(one) && (!within || one === within));
  }
}

const rank = ({ at, uri, node }: Post) => `${at.toISOString()} ${uri} ${node}`;
