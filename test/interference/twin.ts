import type { Did } from '@stratos/protocol';
import type { Random } from '../random.ts';
import { Model } from './model.ts';
import {
  drawMembers,
  drawPosts,
  FORGED,
  keyOf,
  type Member,
  PEOPLE,
  type Post,
  type World,
} from './world.ts';

const HIDDEN_MORE = 30;

/** Another world that somebody cannot tell from this one: whatever they may not see is drawn anew. */
export function drawTwin(world: World, viewer: Did, random: Random): World {
  const model = new Model(world, viewer);
  const isKept = (post: Post) => model.shown(post) !== undefined || post.author === FORGED;
  const kept = world.posts.filter((post) => isKept(post) || random.chance(0.3));
  const posts = [...kept];
  for (const post of drawPosts(random, HIDDEN_MORE, posts)) {
    if (!isKept(post)) posts.push(post);
  }
  const authors = new Set(posts.filter(isKept).map(({ author }) => author));
  const own = world.members.filter(({ did }) => did === viewer);
  const isOurs = (node: Did) => own.some((member) => member.node === node);
  return {
    nodes: world.nodes.map((node) =>
      isOurs(node.did) ? node : { ...node, isHeard: random.chance(0.5) },
    ),
    actors: world.actors.map((actor) =>
      authors.has(actor.did) || actor.did === viewer
        ? actor
        : { ...actor, handle: `${random.oneOf(['x', 'y', 'z'])}-${actor.handle}` },
    ),
    members: [...own, ...twinMembers(model, random)],
    posts: posts.sort(() => random.next() - 0.5),
    stubs: twinStubs(world, posts, isKept, random),
  };
}

/** Other people. What a node states of somebody comes with proofs, to who may know all of it. */
function twinMembers(model: Model, random: Random): Member[] {
  const { world, viewer } = model;
  const proven = world.posts.filter(
    (post) => post.isProven && model.shown(post) && model.knows(post.author, post.boundaries),
  );
  const isTold = ({ did, node, isActive, boundaries }: Member) =>
    isActive &&
    model.knows(did, boundaries) &&
    proven.some((post) => post.author === did && post.node === node);
  const others = PEOPLE.filter((did) => did !== viewer);
  const told = world.members.filter((member) => member.did !== viewer && isTold(member));
  const drawn = drawMembers(random, others).filter(
    (member) =>
      !isTold(member) && !told.some(({ did, node }) => did === member.did && node === member.node),
  );
  return [...told, ...drawn];
}

/** A stub is public. Those of posts that are hidden may be there or not. */
function twinStubs(
  { stubs }: World,
  posts: readonly Post[],
  isKept: (post: Post) => boolean,
  random: Random,
): World['stubs'] {
  const kept = new Set(posts.filter(isKept).map(({ uri }) => uri));
  const hidden = posts.filter(({ uri }) => !kept.has(uri) && random.chance(0.4));
  const byUri = new Map(hidden.map(({ uri, node }) => [uri, { uri, node }]));
  const places = new Set(posts.filter(isKept).map(keyOf));
  return [...stubs.filter((stub) => places.has(keyOf(stub))), ...byUri.values()];
}
