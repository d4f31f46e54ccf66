import { Prisma, type PrismaClient } from '@stratos/prisma';
import { toDid } from '@stratos/protocol';
import { readFor } from '../access/scope.ts';
import { timelineSkeleton } from './timeline.ts';

/** What `/ready` says of a node. */
export interface NodeState {
  did: string;
  /** Whether its boundaries are served right now. */
  heard: boolean;
  leaseUntil: string | null;
}

const NOBODY = toDid('did:web:nobody.invalid');

/** Runs what a timeline runs, and tells which nodes are heard. Rejects when a query would. */
export async function checkReadiness(prisma: PrismaClient): Promise<NodeState[]> {
  const read = readFor(prisma, NOBODY);
  return read(async (transaction, scope) => {
    await timelineSkeleton(transaction, scope, undefined, { after: undefined, limit: 1 });
    const nodes = await transaction.$queryRaw<
      { did: string; heard: boolean; lease_until: Date | null }[]
    >(Prisma.sql`
      select did, coalesce(lease_until > now(), false) as heard, lease_until
      from stratos_node order by did`);
    return nodes.map(({ did, heard, lease_until }) => ({
      did,
      heard,
      leaseUntil: lease_until?.toISOString() ?? null,
    }));
  });
}
