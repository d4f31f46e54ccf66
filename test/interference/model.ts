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
    this.world = world;
    this.viewer = viewer;
    this.scope = own.flatMap((one) => (heard.includes(one.node) ? one.boundaries : [])).sort();
  }
  /** The boundaries that a post is shown with; undefined when it is not. */
  shown(post: Post): Boundary[] | undefined {
    const { author, node, flaw } = post;
    if (flaw === 'altered' || (flaw && this.#isNamed(post))) return undefined;
    const boundaries = post.boundaries.filter((one) => boundaryNode(one) === node);
    if (author === this.viewer) return boundaries;
    const isInUse = this.world.actors.some(({ did, isActive }) => did === author && isActive);
    const shared = boundaries.filter((one) => this.scope.includes(one));
    return isInUse && shared.length > 0 && this.#isRead(post) ? shared : undefined;
  }
  feed({ within, actor, word }: { within?: string; actor?: string; word?: string }): Post[] {
    return this.world.posts
      .filter((post) => this.shown(post) && (!actor || post.author === actor))
      .filter((post) => actor === this.viewer || this.#isRead(post, within))
      .filter((post) => !within || this.shown(post)?.some((one) => one === within))
      .filter(({ text }) => !word || text.split(' ').includes(word))
      .sort((a, b) => (rank(a) < rank(b) ? 1 : -1));
  }
  at(uri: string | undefined, node?: string): Post | undefined {
    return this.world.posts
      .filter((post) => post.uri === uri && (!node || post.node === node) && this.shown(post))
      .sort((a, b) => this.#isNamed(b) - this.#isNamed(a) || (a.node < b.node ? -1 : 1))[0];
  }
  referring(kind: 'parent' | 'quote', uri: string): Post[] {
    const all = this.feed({}).filter((post) => post[kind] === uri);
    return all.reverse();
  }
  ancestors({ parent }: Post, height = 10, unread = 3): Post[] {
    const posts = this.world.posts.filter((post) => this.#isRead(post));
    const read = new Model({ ...this.world, posts }, this.viewer).at(parent);
    const found = height > 0 && (read ?? (unread > 0 && this.at(parent)));
    return found ? [...this.ancestors(found, height - 1, read ? unread : unread - 1), found] : [];
  }
  /** Whether all of these may be known to be somebody's, or what somebody wrote to. */
  knows(author: Did, boundaries: readonly Boundary[]): boolean {
    return author === this.viewer || boundaries.every((one) => this.scope.includes(one));
  }
  #isNamed({ uri, node }: Post): number {
    return Number(this.world.stubs.some((one) => one.uri === uri && one.node === node));
  }
  #isRead({ readers }: Post, within?: string): boolean {
    return readers.some((one) => this.scope.includes(one) && (!within || one === within));
  }
}
const rank = ({ at, uri, node }: Post) => `${at.toISOString()} ${uri} ${node}`;
