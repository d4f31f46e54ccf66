import { type Did, type DidKey, ProofError, verifyHeartbeat } from '@stratos/protocol';
import type { NodeState } from './node-state.ts';

/** Milliseconds by which a node's clock may be ahead before its word counts for less. */
const CLOCK_SKEW_MS = 5_000;

export interface HeartbeatContext {
  nodeDid: Did;
  keys: readonly DidKey[];
  state: Pick<NodeState, 'cursor' | 'log' | 'logRead'>;
  leaseSeconds: number;
  /** What the node no longer has was made up for, and nothing has come since but heartbeats. */
  madeUp?: MadeUp | undefined;
  now?: Date;
}

export interface MadeUp {
  /** Where the last of them said that the node is. */
  heard?: number;
}

export interface JudgedHeartbeat {
  /** Newest position of the node. */
  newest: number;
  /** Where we are by now. */
  moved: number;
  /** Until when the node's boundaries may be served; undefined unless we have seen everything. */
  lease?: { heartbeatAt: Date; until: Date };
}

/**
 * What a heartbeat says for the node's lease, which it extends when we have seen everything.
 *
 * @throws ProofError `broken-chain` when at this position the node's log is not the one we have
 */
export function judgeHeartbeat(frame: unknown, context: HeartbeatContext): JudgedHeartbeat {
  const { nodeDid, keys, state, leaseSeconds, madeUp, now = new Date() } = context;
  const heartbeat = verifyHeartbeat(frame, { service: nodeDid, keys, now });
  const { seq: newest, membershipSeq, membershipHead, time } = heartbeat;
  // Where a node is that has kept nothing it alone can say. What it has said once may be wrong, and
  // whatever comes next would be taken for old.
  const isAtLoss = newest > state.cursor && newest === madeUp?.heard;
  const isAt = newest === state.cursor || isAtLoss;
  // @NOTE one that was sent before we read the log knows less of it than we do
  const isBefore = membershipSeq < (state.log?.seq ?? 0);
  if (!isAt || (isBefore && state.log?.seq === state.logRead)) {
    return { newest, moved: state.cursor };
  }
  if (membershipSeq !== (state.log?.seq ?? 0) || membershipHead !== state.log?.cid) {
    throw new ProofError('broken-chain', 'the membership log of the heartbeat is another');
  }
  const from = Math.min(now.getTime(), time.getTime() + CLOCK_SKEW_MS);
  // All that the node has kept is applied, and what it has not is fetched.
  return {
    newest,
    moved: newest,
    lease: { heartbeatAt: time, until: new Date(from + leaseSeconds * 1000) },
  };
}
