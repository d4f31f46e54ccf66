import type { Database } from '../database.ts';
import { type Queues, readQueues } from './queues.ts';

/** What the database says of a node. */
export interface StoredNode {
  did: string;
  endpoint: string;
  /** `service` or `records`. */
  stream: string;
  position: number;
  newest: number;
  lag: number;
  /** Until when its boundaries may be served. */
  leaseUntil: Date | null;
  /** The indexer that follows it, if one does that is running. */
  follower: string | null;
  rolledBackAt: Date | null;
  members: number;
  quarantined: number;
}

/** What it says of a firehose. */
export interface StoredFirehose {
  source: string;
  position: number;
  follower: string | null;
  updatedAt: Date;
}

export interface StoredStatus {
  /** Indexers that are running. */
  indexers: string[];
  nodes: StoredNode[];
  firehoses: StoredFirehose[];
  queues: Queues;
}

/** How the indexers of a database are, as far as it is stored. */
export async function readStoredStatus(db: Database): Promise<StoredStatus> {
  const living = await db.follower.findMany({
    where: { aliveUntil: { gt: new Date() } },
    orderBy: { id: 'asc' },
  });
  const indexers = living.map(({ id }) => id);
  const alive = (follower: string | null) =>
    follower !== null && indexers.includes(follower) ? follower : null;
  const nodes = await db.node.findMany({ orderBy: [{ firstSeenAt: 'asc' }, { did: 'asc' }] });
  const members = await countByNode(db, 'membership');
  const quarantined = await countByNode(db, 'quarantine');
  const cursors = await db.syncCursor.findMany({ orderBy: { source: 'asc' } });
  return {
    indexers,
    nodes: nodes.map((node) => ({
      did: node.did,
      endpoint: node.endpoint,
      stream: node.stream,
      position: Number(node.streamCursor),
      newest: Number(node.newestSeq),
      lag: Math.max(0, Number(node.newestSeq - node.streamCursor)),
      leaseUntil: node.leaseUntil,
      follower: alive(node.follower),
      rolledBackAt: node.rolledBackAt,
      members: members.get(node.did) ?? 0,
      quarantined: quarantined.get(node.did) ?? 0,
    })),
    firehoses: cursors.map(({ source, seq, follower, updatedAt }) => ({
      ...{ source, position: Number(seq), follower: alive(follower), updatedAt },
    })),
    queues: await readQueues(db),
  };
}

async function countByNode(
  db: Database,
  what: 'membership' | 'quarantine',
): Promise<Map<string, number>> {
  const rows =
    what === 'membership'
      ? await db.$queryRaw<CountRow[]>`
          select node_did, count(*)::int as count from stratos_membership
          where active group by node_did`
      : await db.$queryRaw<CountRow[]>`
          select node_did, count(*)::int as count from stratos_quarantine group by node_did`;
  return new Map(rows.map(({ node_did: did, count }) => [did, count]));
}

interface CountRow {
  node_did: string;
  count: number;
}
