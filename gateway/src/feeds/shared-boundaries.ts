import { countAuthorPosts, type Transaction } from '@stratos/prisma/queries';
import type { Did } from '@stratos/protocol';
import { MOST_COUNTED, type SharedBoundaryView } from '@stratos/schema';
import type { Scope } from '../access/scope.ts';

/** The boundaries of the scope in which somebody has written, and how much. */
export async function sharedBoundaries(
  transaction: Transaction,
  { boundaries }: Scope,
  author: Did,
): Promise<SharedBoundaryView[]> {
  const limit = MOST_COUNTED;
  const counts = await countAuthorPosts(transaction, { authors: [author], boundaries, limit });
  return counts.map(({ boundary, posts }) => ({ boundary, postCount: posts }));
}
