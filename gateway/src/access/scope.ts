import type { ReadPool } from '@stratos/prisma';
import { openScope, type Transaction } from '@stratos/prisma/queries';
import { type Boundary, type Did, isBoundary } from '@stratos/protocol';

/** The boundaries that are open to a viewer at one moment. */
export interface Scope {
  readonly viewer: Did;
  readonly boundaries: ReadonlySet<Boundary>;
}

/** Reads for one viewer: runs something in a transaction on the scope that they have in it. */
export type ScopedRead = <T>(
  action: (transaction: Transaction, scope: Scope) => Promise<T>,
) => Promise<T>;

/** The way to read what is not public, with nothing changing in between. */
export function readFor(reads: ReadPool, viewer: Did): ScopedRead {
  return (action) =>
    reads.snapshot(async (transaction) => action(transaction, await scopeOf(transaction, viewer)));
}

/** The scope of a viewer as of the transaction, which it opens for them. */
async function scopeOf(transaction: Transaction, viewer: Did): Promise<Scope> {
  return toScope(viewer, await openScope(transaction, viewer));
}

/** The scope of a viewer, by what was found to be open to them. */
export function toScope(viewer: Did, open: readonly string[]): Scope {
  return { viewer, boundaries: new Set(open.filter(isBoundary)) };
}
