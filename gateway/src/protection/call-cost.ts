import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, MAX_THREAD_DEPTH, MAX_URIS } from '@stratos/schema';
import { MAX_POSTS_PER_REQUEST } from '../operations/budget.ts';

/** What a whole post costs over tRPC and XRPC: about as much as over GraphQL with most of its fields. */
const POST_COST = 20;

/**
 * The cost of a call with these arguments, by how many posts it may be answered with.
 *
 * @param isPaged - whether it answers a page where no `limit` is given
 */
export function callCost(input: object, isPaged = false): number {
  return 1 + POST_COST * Math.min(postsOf(input, isPaged), MAX_POSTS_PER_REQUEST);
}

function postsOf(input: object, isPaged: boolean): number {
  if ('uris' in input && Array.isArray(input.uris)) return Math.min(input.uris.length, MAX_URIS);
  const limit = 'limit' in input ? input.limit : isPaged ? DEFAULT_PAGE_SIZE : 1;
  const levels = 'depth' in input ? input.depth : 1;
  return clamp(levels, MAX_THREAD_DEPTH) * clamp(limit, MAX_PAGE_SIZE);
}

function clamp(size: unknown, max: number): number {
  return typeof size === 'number' ? Math.min(Math.max(Math.ceil(size), 1), max) : max;
}
