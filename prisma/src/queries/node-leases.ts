import type { Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import type { Transaction } from './transaction.ts';

export interface NodeLease {
  did: Did;
  /** Milliseconds for which the boundaries of the node may be served; null if it was never heard. */
  left: number | null;
}

/** The leases of all nodes, by the clock of the database. */
export function nodeLeases(transaction: Transaction): Promise<NodeLease[]> {
  return transaction.$queryRaw<NodeLease[]>(Prisma.sql`
    select did, (extract(epoch from lease_until - now()) * 1000)::float8 as "left"
    from stratos_node`);
}
