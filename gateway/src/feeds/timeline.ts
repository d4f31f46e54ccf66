import { homeTimeline, type Transaction } from '@stratos/prisma/queries';
import type { Boundary, Did } from '@stratos/protocol';
import { type Scope, toScope } from '../access/scope.ts';
import { type StoredPost, storedPost } from '../hydration/posts.ts';
import type { Slice } from './skeleton.ts';

export interface TimelineQuery extends Slice {
  viewer: Did;
  boundary?: Boundary | undefined;
}

/** Posts of what is open to a viewer or of one boundary of it, and the scope that was: all as of one moment. */
export async function timelinePosts(
  database: Transaction,
  query: TimelineQuery,
): Promise<{ scope: Scope; posts: StoredPost[] }> {
  const { scope, posts } = await homeTimeline(database, query);
  return { scope: toScope(query.viewer, scope.split(' ')), posts: posts.map(storedPost) };
}
