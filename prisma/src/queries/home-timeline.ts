import type { FoundPost, ScopedSlice } from './found-post.ts';
import { mergeBoundaries } from './merge-boundaries.ts';
import type { Transaction } from './transaction.ts';

/**
 * Posts of some boundaries, newest first, each once.
 *
 * Reads at most `limit` rows of each boundary and `limit` posts, however much is stored.
 */
export function homeTimeline(transaction: Transaction, slice: ScopedSlice): Promise<FoundPost[]> {
  return transaction.$queryRaw<FoundPost[]>(mergeBoundaries(slice));
}
