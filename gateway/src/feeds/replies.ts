import { type FoundReference, replies, type Transaction } from '@stratos/prisma/queries';
import type { AtUri } from '@stratos/protocol';
import type { Scope } from '../access/scope.ts';
import type { Slice } from './skeleton.ts';

/** Direct replies to each of some posts, in the boundaries of the scope, oldest first. */
export function repliesSkeleton(
  transaction: Transaction,
  { boundaries }: Scope,
  subjects: readonly AtUri[],
  slice: Slice,
): Promise<FoundReference[]> {
  return replies(transaction, { subjects, boundaries, ...slice });
}
