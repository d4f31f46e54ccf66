import { type Boundary, boundaryNode, type Did } from '@stratos/protocol';

/** A world small enough to decide everything by looking at it. */
export interface OracleWorld {
  /** Nodes that are heard. */
  heard: Set<Did>;
  members: { did: Did; node: Did; boundaries: Boundary[]; active: boolean }[];
  inactive: Set<Did>;
  posts: OraclePost[];
}

export interface OraclePost {
  uri: string;
  author: Did;
  node: Did;
  boundaries: Boundary[];
  /** Whether its author's enrollment stands, without which nobody else may read it. */
  published: boolean;
  at: Date;
  text: string;
  /** The posts that it answers and quotes, whether there are such posts or not. */
  parent: string | undefined;
  quote: string | undefined;
}

export interface Question {
  viewer: Did;
  boundary?: Boundary | undefined;
  actor?: Did | undefined;
  /** All of these words are in the post. */
  words?: string[] | undefined;
}

export function oracleScope(world: OracleWorld, viewer: Did): Boundary[] {
  return world.members
    .filter(({ did, node, active }) => did === viewer && active && world.heard.has(node))
    .flatMap(({ boundaries }) => boundaries);
}

/** What a feed holds, as a set: each post by node and address, with the boundaries it shows. */
export function oracleFeed(world: OracleWorld, question: Question): Map<string, Boundary[]> {
  const { viewer, boundary, actor, words = [] } = question;
  const answer = new Map<string, Boundary[]>();
  for (const post of world.posts) {
    const shown = oracleShown(world, viewer, post);
    if (!shown) continue;
    if (actor ? post.author !== actor : !inScope(world, viewer, post, boundary)) continue;
    if (boundary && !shown.includes(boundary)) continue;
    if (!words.every((word) => post.text.split(' ').includes(word))) continue;
    answer.set(keyOf(post), [...shown].sort());
  }
  return answer;
}

/** The boundaries that a viewer is shown of a post, or undefined when they may not see it. */
export function oracleShown(
  world: OracleWorld,
  viewer: Did,
  post: OraclePost,
): Boundary[] | undefined {
  if (post.author === viewer) return post.boundaries;
  if (world.inactive.has(post.author) || !post.published) return undefined;
  const scope = oracleScope(world, viewer);
  const shared = post.boundaries.filter(
    (boundary) => scope.includes(boundary) && boundaryNode(boundary) === post.node,
  );
  return shared.length > 0 ? shared : undefined;
}

/** Replies to or quotes of an address, oldest first. */
export function oracleReferences(
  world: OracleWorld,
  viewer: Did,
  kind: 'parent' | 'quote',
  subject: string,
): string[] {
  return world.posts
    .filter((post) => post[kind] === subject && inScope(world, viewer, post))
    .sort((a, b) => a.at.getTime() - b.at.getTime() || (rankOf(a) < rankOf(b) ? -1 : 1))
    .map(keyOf);
}

/**
 * What a post answers, what that answers, and so on; the uppermost first. Where nobody reads on, three more of
 * those that are to be seen by their addresses.
 */
export function oracleAncestors(
  world: OracleWorld,
  viewer: Did,
  post: OraclePost,
  height: number,
  unread = 3,
): string[] {
  const parents = world.posts
    .filter((one) => one.uri === post.parent && oracleShown(world, viewer, one))
    .sort((a, b) => (a.node < b.node ? -1 : 1));
  const read = parents.find((one) => inScope(world, viewer, one));
  const parent = read ?? (unread > 0 ? parents[0] : undefined);
  if (!parent || height === 0) return [];
  const above = oracleAncestors(world, viewer, parent, height - 1, read ? unread : unread - 1);
  return [...above, keyOf(parent)];
}

/** In which boundaries a viewer reads somebody, and how many posts; undefined for who is nobody to them. */
export function oracleProfile(
  world: OracleWorld,
  viewer: Did,
  actor: Did,
): Map<Boundary, number> | undefined {
  const counts = new Map(
    oracleScope(world, viewer).map((boundary) => [
      boundary,
      world.posts.filter((post) => post.author === actor && inScope(world, viewer, post, boundary))
        .length,
    ]),
  );
  if (actor === viewer) return counts;
  const shared = [...counts].filter(([, posts]) => posts > 0);
  return shared.length > 0 ? new Map(shared) : undefined;
}

export function keyOf({ node, uri }: { node: string; uri: string }): string {
  return `${node} ${uri}`;
}

function rankOf({ uri, node }: OraclePost): string {
  return `${uri} ${node}`;
}

function inScope(world: OracleWorld, viewer: Did, post: OraclePost, boundary?: Boundary): boolean {
  if (world.inactive.has(post.author) || !post.published) return false;
  const scope = oracleScope(world, viewer);
  return post.boundaries.some((one) => scope.includes(one) && (!boundary || one === boundary));
}
