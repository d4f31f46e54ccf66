import { searchPosts, type Transaction } from '@stratos/prisma/queries';
import type { Boundary } from '@stratos/protocol';
import type { Scope } from '../access/scope.ts';
import type { Candidate, Slice } from './skeleton.ts';

export interface SearchQuery {
  text: string;
  boundary: Boundary | undefined;
}

/** Posts with all words of a text, in the boundaries of the scope or in one of them. Forward only. */
export function searchSkeleton(
  transaction: Transaction,
  scope: Scope,
  { text, boundary }: SearchQuery,
  slice: Omit<Slice, 'reverse'>,
): Promise<Candidate[]> {
  const boundaries = narrow(scope, boundary);
  return searchPosts(transaction, { words: text, boundaries, ...slice });
}

/** The boundaries of the scope, or the one that is asked for if it is among them. */
export function narrow(scope: Scope, boundary: Boundary | undefined): Iterable<Boundary> {
  if (boundary === undefined) return scope.boundaries;
  return scope.boundaries.has(boundary) ? [boundary] : [];
}
