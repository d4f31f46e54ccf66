import { authorFeed, ownPosts, type Transaction } from '@stratos/prisma/queries';
import type { Boundary, Did } from '@stratos/protocol';
import type { Scope } from '../access/scope.ts';
import type { Candidate, Slice } from './skeleton.ts';

export interface AuthorFeedQuery {
  author: Did;
  boundary: Boundary | undefined;
}

/** Posts of one author in the boundaries of the scope; all posts when the viewer is the author. */
export function authorFeedSkeleton(
  transaction: Transaction,
  scope: Scope,
  { author, boundary }: AuthorFeedQuery,
  slice: Slice,
): Promise<Candidate[]> {
  return author === scope.viewer
    ? ownPosts(transaction, { author, boundary, ...slice })
    : authorFeed(transaction, { author, boundary, ...slice });
}
