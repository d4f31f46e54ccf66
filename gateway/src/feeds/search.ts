import { searchPosts, type Transaction } from '@stratos/prisma/queries';
import type { Boundary } from '@stratos/protocol';
import type { Scope } from '../access/scope.ts';
import type { Candidate, Slice } from './skeleton.ts';
import { narrow } from './timeline.ts';

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
