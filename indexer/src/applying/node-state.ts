import type { Cid, Did, MembershipLogHead } from '@stratos/protocol';
import type { Transaction } from '../database.ts';

/** Up to where a node is applied. */
export interface NodeState {
  cursor: number;
  log: MembershipLogHead | undefined;
}

/** Reads the state and keeps everybody else from changing it until the transaction ends. */
export async function lockNodeState(tx: Transaction, nodeDid: Did): Promise<NodeState> {
  const [row] = await tx.$queryRaw<
    { stream_cursor: bigint; membership_seq: bigint; membership_head: string | null }[]
  >`select stream_cursor, membership_seq, membership_head
    from stratos_node where did = ${nodeDid} for update`;
  if (!row) throw new Error('the node is not known');
  return {
    cursor: Number(row.stream_cursor),
    log:
      row.membership_head === null
        ? undefined
        : { seq: Number(row.membership_seq), cid: row.membership_head as Cid },
  };
}

export async function moveCursor(tx: Transaction, nodeDid: Did, seq: number): Promise<void> {
  await tx.$executeRaw`update stratos_node set stream_cursor = ${seq} where did = ${nodeDid}`;
}
