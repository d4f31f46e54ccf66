import { Prisma } from '@stratos/prisma';
import { openScope, type Transaction } from '@stratos/prisma/queries';
import { type Boundary, toDid } from '@stratos/protocol';

const NOBODY = toDid('did:web:nobody.invalid');

/**
 * Opens a transaction for all who read in some boundaries, whoever they are. What is read in it is to be
 * decided about for each of them by itself.
 */
export async function openForAudience(
  transaction: Transaction,
  boundaries: Iterable<Boundary>,
): Promise<void> {
  await openScope(transaction, NOBODY);
  const scope = [...boundaries].join(' ');
  await transaction.$queryRaw(Prisma.sql`select set_config('stratos.scope', ${scope}, true)`);
}
