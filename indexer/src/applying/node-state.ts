import type { Cid, Did, MembershipLogHead } from '@stratos/protocol';
import type { Transaction } from '../database.ts';
import { type Fence, TakenOverError } from '../followers/fence.ts';

/** Up to where a node is applied. */
export interface NodeState {
  cursor: number;
  log: MembershipLogHead | undefined;
  /** Newest entry that was read from the log itself; the stream may bring what is up to there again. */
  logRead: number;
  /** Until when its boundaries may be served. */
  leaseUntil: Date | undefined;
  /** People about whom something is held. */
  held: Did[];
}

interface NodeRow {
  stream_cursor: bigint;
  membership_seq: bigint;
  membership_head: string | null;
  membership_read: bigint;
  lease_until: Date | null;
  follower: string | null;
  follow_epoch: bigint;
  held: Did[];
}

/**
 * Reads the state and keeps everybody else from changing it until the transaction ends.
 *
 * @param fence - who writes, if several may
 * @throws TakenOverError when another indexer follows the node now
 */
export async function lockNodeState(
  tx: Transaction,
  nodeDid: Did,
  fence?: Fence,
): Promise<NodeState> {
  // @NOTE not `for update`, which would wait for whoever refers to the node, as holds do
  const [row] = await tx.$queryRaw<NodeRow[]>`
    select stream_cursor, membership_seq, membership_head, membership_read, lease_until, follower,
      follow_epoch, array(select distinct did from stratos_hold where node_did = ${nodeDid}) as held
    from stratos_node where did = ${nodeDid} for no key update`;
  if (!row) throw new Error('the node is not known');
  if (fence && (row.follower !== fence.follower || row.follow_epoch !== fence.epoch)) {
    throw new TakenOverError();
  }
  return {
    cursor: Number(row.stream_cursor),
    logRead: Number(row.membership_read),
    log:
      row.membership_head === null
        ? undefined
        : { seq: Number(row.membership_seq), cid: row.membership_head as Cid },
    leaseUntil: row.lease_until ?? undefined,
    held: row.held,
  };
}
