import { type Did, type DidKey, ProofError, verifyHeartbeat } from '@stratos/protocol';
import type { Transaction } from '../database.ts';
import { moveCursor, type NodeState } from './node-state.ts';

/** Seconds by which a node's clock may be ahead before its word counts for less. */
const CLOCK_SKEW_MS = 5_000;

export interface HeartbeatEvent {
  nodeDid: Did;
  keys: readonly DidKey[];
  frame: unknown;
  state: NodeState;
  leaseSeconds: number;
  /** What the node no longer has was made up for, and nothing has come since. */
  madeUp?: boolean;
  now?: Date;
}

/**
 * Extends the node's lease when the heartbeat says that we have seen everything.
 *
 * @returns where we are, and the newest position of the node
 * @throws ProofError `broken-chain` when at this position the node's log is not the one we have
 */
export async function applyHeartbeat(
  tx: Transaction,
  event: HeartbeatEvent,
): Promise<{ cursor: number; newest: number }> {
  const { nodeDid, keys, frame, state, leaseSeconds, madeUp = false, now = new Date() } = event;
  const heartbeat = verifyHeartbeat(frame, { service: nodeDid, keys, now });
  const { seq: newest } = heartbeat;
  const isAt = newest === state.cursor || (madeUp && newest > state.cursor);
  // @NOTE one that was sent before we read the log knows less of it than we do
  const isBefore = heartbeat.membershipSeq < (state.log?.seq ?? 0);
  if (!isAt || (isBefore && state.log?.seq === state.logRead)) {
    return { cursor: state.cursor, newest };
  }
  if (
    heartbeat.membershipSeq !== (state.log?.seq ?? 0) ||
    heartbeat.membershipHead !== state.log?.cid
  ) {
    throw new ProofError('broken-chain', 'the membership log of the heartbeat is another');
  }
  const from = Math.min(now.getTime(), heartbeat.time.getTime() + CLOCK_SKEW_MS);
  const leaseUntil = new Date(from + leaseSeconds * 1000);
  await tx.$executeRaw`
    update stratos_node set
      heartbeat_at = greatest(heartbeat_at, ${heartbeat.time}),
      lease_until = greatest(lease_until, ${leaseUntil})
    where did = ${nodeDid}`;
  // All that the node has kept is applied, and what it has not is fetched.
  if (newest !== state.cursor) await moveCursor(tx, nodeDid, newest);
  return { cursor: newest, newest };
}
