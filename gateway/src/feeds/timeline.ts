import { homeTimeline, type Transaction } from '@stratos/prisma/queries';
import type { Boundary } from '@stratos/protocol';
import type { Scope } from '../access/scope.ts';
import type { Candidate, Slice } from './skeleton.ts';

/** Posts of the boundaries of the scope, or of one of them. */
export function timelineSkeleton(
  transaction: Transaction,
  scope: Scope,
  boundary: Boundary | undefined,
  slice: Slice,
): Promise<Candidate[]> {
  return homeTimeline(transaction, { boundaries: narrow(scope, boundary), ...slice });
}

/** The boundaries of the scope, or the one that is asked for if it is among them. */
export function narrow(scope: Scope, boundary: Boundary | undefined): Iterable<Boundary> {
  if (boundary === undefined) return scope.boundaries;
  return scope.boundaries.has(boundary) ? [boundary] : [];
}
