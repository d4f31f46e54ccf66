import type { Cid, Did, MembershipLogHead } from '@stratos/protocol';
import type { Transaction } from '../database.ts';

/** Up to where a node is applied. */
export interface NodeState {
  cursor: number;
  log: MembershipLogHead | undefined;
  /** Newest entry that was read from the log itself; the stream may bring what is up to there again. */
  logRead: number;
}

/** Reads the state and keeps everybody else from changing it until the transaction ends. */
export async function lockNodeState(tx: Transaction, nodeDid: Did): Promise<NodeState> {
  const [row] = await tx.$queryRaw<
    {
      stream_cursor: bigint;
      membership_seq: bigint;
      membership_head: string | null;
      membership_read: bigint;
    }[]
  >`select stream_cursor, membership_seq, membership_head, membership_read
    from stratos_node where did = ${nodeDid} for update`;
  if (!row) throw new Error('the node is not known');
  return {
    cursor: Number(row.stream_cursor),
    logRead: Number(row.membership_read),
    log:
      row.membership_head === null
        ? undefined
        : { seq: Number(row.membership_seq), cid: row.membership_head as Cid },
  };
}

export async function moveCursor(tx: Transaction, nodeDid: Did, seq: number): Promise<void> {
  await tx.$executeRaw`update stratos_node set stream_cursor = ${seq} where did = ${nodeDid}`;
}
