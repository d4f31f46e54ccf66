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
}

export interface Question {
  viewer: Did;
  boundary?: Boundary | undefined;
  actor?: Did | undefined;
}

export function oracleScope(world: OracleWorld, viewer: Did): Boundary[] {
  return world.members
    .filter(({ did, node, active }) => did === viewer && active && world.heard.has(node))
    .flatMap(({ boundaries }) => boundaries);
}

/** What a feed holds, as a set: each post by node and address, with the boundaries it shows. */
export function oracleFeed(world: OracleWorld, question: Question): Map<string, Boundary[]> {
  const { viewer, boundary, actor } = question;
  const answer = new Map<string, Boundary[]>();
  for (const post of world.posts) {
    const shown = oracleShown(world, viewer, post);
    if (!shown) continue;
    if (actor ? post.author !== actor : !inScope(world, viewer, post, boundary)) continue;
    if (boundary && !shown.includes(boundary)) continue;
    answer.set(`${post.node} ${post.uri}`, [...shown].sort());
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

function inScope(world: OracleWorld, viewer: Did, post: OraclePost, boundary?: Boundary): boolean {
  if (world.inactive.has(post.author) || !post.published) return false;
  const scope = oracleScope(world, viewer);
  return post.boundaries.some((one) => scope.includes(one) && (!boundary || one === boundary));
}
