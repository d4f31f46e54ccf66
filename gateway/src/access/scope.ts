import type { Prisma, PrismaClient } from '@stratos/prisma';
import { openScope } from '@stratos/prisma/queries';
import { type Boundary, type Did, isBoundary } from '@stratos/protocol';

/** The boundaries that are open to a viewer at one moment. */
export interface Scope {
  readonly viewer: Did;
  readonly boundaries: ReadonlySet<Boundary>;
}

/** Reads for one viewer: runs something in a transaction on the scope that they have in it. */
export type ScopedRead = <T>(
  action: (transaction: Prisma.TransactionClient, scope: Scope) => Promise<T>,
) => Promise<T>;

/** The one way to read what is not public, with nothing changing in between. */
export function readFor(prisma: PrismaClient, viewer: Did): ScopedRead {
  return (action) =>
    prisma.$transaction(
      async (transaction) => action(transaction, await scopeOf(transaction, viewer)),
      { isolationLevel: 'RepeatableRead' },
    );
}

/** The scope of a viewer as of the transaction, which it opens for them. */
async function scopeOf(transaction: Prisma.TransactionClient, viewer: Did): Promise<Scope> {
  const boundaries = await openScope(transaction, viewer);
  return { viewer, boundaries: new Set(boundaries.filter(isBoundary)) };
}
