import { ancestors, type Transaction } from '@stratos/prisma/queries';
import type { AtUri, Did } from '@stratos/protocol';
import type { Scope } from '../access/scope.ts';
import type { Candidate } from './skeleton.ts';

/**
 * What a post answers, what that answers, and so on, in the boundaries of the scope; the nearest first. It
 * ends at what is hidden just as at what is not there.
 */
export function ancestorsSkeleton(
  transaction: Transaction,
  { boundaries }: Scope,
  of: { uri: AtUri; node: Did },
  limit: number,
): Promise<Candidate[]> {
  return ancestors(transaction, { of, boundaries, limit });
}
