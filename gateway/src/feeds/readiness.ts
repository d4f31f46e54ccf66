import { Prisma, type ReadPool } from '@stratos/prisma';
import { NOBODY } from './actor.ts';
import { timelinePosts } from './timeline.ts';

/** What `/ready` says of a node. */
export interface NodeState {
  did: string;
  /** Whether its boundaries are served right now. */
  heard: boolean;
  leaseUntil: string | null;
}

/** Runs what a timeline runs, and tells which nodes are heard. Rejects when a query would. */
export async function checkReadiness(reads: ReadPool): Promise<NodeState[]> {
  await timelinePosts(reads, { viewer: NOBODY, after: undefined, limit: 1 });
  const nodes = await reads.$queryRaw<{ did: string; heard: boolean; lease_until: Date | null }[]>(
    Prisma.sql`
      select did, coalesce(lease_until > now(), false) as heard, lease_until
      from stratos_node order by did`,
  );
  return nodes.map(({ did, heard, lease_until }) => ({
    did,
    heard,
    leaseUntil: lease_until?.toISOString() ?? null,
  }));
}
