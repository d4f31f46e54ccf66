import { Prisma } from '@stratos/prisma';
import type { Did } from '@stratos/protocol';
import type { Database } from '../database.ts';
import type { NodePolicy } from '../nodes/node-policy.ts';
import { type Fence, isAlive } from './fence.ts';

export interface NodeClaim {
  nodeDid: Did;
  fence: Fence;
  /** Newest entry of the node's membership log that is applied. */
  membershipSeq: number;
}

/** Takes nodes that nobody follows, those that were seen first before others. */
export async function claimNodes(
  db: Database,
  follower: string,
  { policy, limit }: { policy: NodePolicy; limit: number },
): Promise<NodeClaim[]> {
  const rows = await db.$queryRaw<ClaimRow[]>`
    update stratos_node set follower = ${follower}, follow_epoch = follow_epoch + 1
    where ${isAlive(Prisma.sql`${follower}`)} and did in (
      select n.did from stratos_node n
      where n.did in (${eligible(policy)}) and not ${isAlive(Prisma.sql`n.follower`)}
      order by n.first_seen_at, n.did limit ${limit}
      for no key update of n skip locked
    )
    returning did, follow_epoch, membership_seq`;
  return toClaims(follower, rows);
}

/** The nodes that are an indexer's own at this moment. */
export async function claimedNodes(db: Database, follower: string): Promise<NodeClaim[]> {
  const rows = await db.$queryRaw<ClaimRow[]>`
    select did, follow_epoch, membership_seq from stratos_node where follower = ${follower}`;
  return toClaims(follower, rows);
}

/** Leaves nodes to whoever takes them next. */
export async function giveBackNodes(
  db: Database,
  follower: string,
  dids: readonly Did[],
): Promise<void> {
  await db.$executeRaw`
    update stratos_node set follower = null
    where follower = ${follower} and did = any(${dids}::text[])`;
}

/** How many nodes there are to be followed, by all indexers together. */
export async function countNodes(db: Database, policy: NodePolicy): Promise<number> {
  const [row] = await db.$queryRaw<{ count: number }[]>`
    select count(*)::int as count from (${eligible(policy)}) as eligible`;
  return row?.count ?? 0;
}

function eligible({ allowed, denied, max }: NodePolicy): Prisma.Sql {
  return Prisma.sql`
    select did from stratos_node
    where did <> all(${denied}::text[])
      and (cardinality(${allowed}::text[]) = 0 or did = any(${allowed}::text[]))
    order by first_seen_at, did limit ${max}`;
}

interface ClaimRow {
  did: Did;
  follow_epoch: bigint;
  membership_seq: bigint;
}

function toClaims(follower: string, rows: readonly ClaimRow[]): NodeClaim[] {
  return rows.map(({ did, follow_epoch: epoch, membership_seq }) => ({
    nodeDid: did,
    fence: { follower, epoch },
    membershipSeq: Number(membership_seq),
  }));
}
