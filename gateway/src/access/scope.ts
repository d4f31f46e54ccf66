import { type PrismaClient, ReadPool } from '@stratos/prisma';
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

/** The one way to read what is not public, with nothing changing in between. */
export function readFor(database: ReadPool | PrismaClient, viewer: Did): ScopedRead {
  return (action) =>
    snapshot(database, async (transaction) =>
      action(transaction, await scopeOf(transaction, viewer)),
    );
}

function snapshot<T>(
  database: ReadPool | PrismaClient,
  action: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return database instanceof ReadPool
    ? database.snapshot(action)
    : database.$transaction(action, { isolationLevel: 'RepeatableRead' });
}

/** The scope of a viewer as of the transaction, which it opens for them. */
async function scopeOf(transaction: Transaction, viewer: Did): Promise<Scope> {
  const boundaries = await openScope(transaction, viewer);
  return { viewer, boundaries: new Set(boundaries.filter(isBoundary)) };
}
