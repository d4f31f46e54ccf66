import {
  type Did,
  type DidKey,
  decodeCanonicalMap,
  keysOfEntry,
  type NodeKeyPeriod,
  ProofError,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { type Database, inTransaction, isUnstorable, type Transaction } from '../database.ts';
import { askForRepo } from '../resync/ask-for-repo.ts';
import { applyCommit, claimedActor } from './apply-commit.ts';
import { applyHeartbeat } from './apply-heartbeat.ts';
import { applyMembership } from './apply-membership.ts';
import { lockNodeState, moveCursor, type NodeState } from './node-state.ts';
import { recordRefusal } from './refusal.ts';

export interface NodeEvent {
  /** As in the frame's header: `#commit`, `#membership`, `#heartbeat`, `#info`. */
  type: string;
  body: unknown;
}

export interface EventSource {
  db: Database;
  nodeDid: Did;
  /** From the node's DID document as of this connection. */
  keys: readonly DidKey[];
  /** Which key may have signed which entry of the membership log; if undefined, those of now. */
  history?: readonly NodeKeyPeriod[] | undefined;
  leaseSeconds: number;
  /** What the node no longer has was made up for, and nothing has come since. */
  madeUp?: boolean;
}

export interface Outcome {
  /** Position up to which the node is applied now. */
  cursor: number;
  /** Newest position that the node has told of. */
  newest: number;
  /** Codes of what was refused. */
  refusals: string[];
}

/** A node that contradicts itself: nothing more is taken from it on this connection. */
export class BrokenTrustError extends Error {
  override name = 'BrokenTrustError';
  readonly reason: string;

  constructor(reason: string, options?: ErrorOptions) {
    super('the node cannot be trusted', options);
    this.reason = reason;
  }
}

/**
 * Verifies one event and writes it together with the cursor. What was applied before is left alone,
 * so that any event may come again.
 *
 * @throws BrokenTrustError when the node's own signed word fails; the cursor stays
 */
export async function applyEvent(source: EventSource, event: NodeEvent): Promise<Outcome> {
  try {
    return await inTransaction(source.db, async (tx) => {
      const state = await lockNodeState(tx, source.nodeDid);
      if (event.type === '#heartbeat') return onHeartbeat(tx, source, event, state);
      if (event.type === '#membership') return onMembership(tx, source, event, state);
      if (event.type === '#commit') return onCommit(tx, source, event, state);
      return { cursor: state.cursor, newest: state.cursor, refusals: [] };
    });
  } catch (error) {
    if (isUnstorable(error) && event.type === '#commit') return skipUnstorable(source, event);
    const broken = error instanceof ProofError ? error : undefined;
    if (!broken) throw error;
    await inTransaction(source.db, (tx) =>
      recordRefusal(tx, {
        source: source.nodeDid,
        streamSeq: event.type === '#heartbeat' ? undefined : positionOf(event.body),
        reason: `${event.type.slice(1)}:${broken.reason}`,
      }),
    );
    throw new BrokenTrustError(broken.reason, { cause: error });
  }
}

async function onHeartbeat(
  tx: Transaction,
  source: EventSource,
  event: NodeEvent,
  state: NodeState,
): Promise<Outcome> {
  const applied = await applyHeartbeat(tx, { ...source, frame: event.body, state });
  return { ...applied, refusals: [] };
}

async function onMembership(
  tx: Transaction,
  { nodeDid, keys: present, history }: EventSource,
  { body }: NodeEvent,
  { cursor, log, logRead }: NodeState,
): Promise<Outcome> {
  const parsed = zone.stratos.sync.subscribeService.membership.safeParse(body);
  if (!parsed.success) throw new ProofError('malformed', 'not a membership event');
  const { seq, entry } = parsed.value;
  if (seq <= cursor) return { cursor, newest: cursor, refusals: [] };
  if (!isRead(entry, logRead)) {
    const keys = history ? keysOfEntry(history, (log?.seq ?? 0) + 1) : present;
    await applyMembership(tx, { nodeDid, keys, bytes: entry, log });
  }
  await moveCursor(tx, nodeDid, seq);
  return { cursor: seq, newest: seq, refusals: [] };
}

async function onCommit(
  tx: Transaction,
  { nodeDid }: EventSource,
  { body }: NodeEvent,
  { cursor }: NodeState,
): Promise<Outcome> {
  const seq = positionOf(body);
  if (seq === undefined) throw new ProofError('malformed', 'a commit without a position');
  if (seq <= cursor) return { cursor, newest: cursor, refusals: [] };
  const refusals = await commitOrRefusal(tx, nodeDid, body);
  for (const reason of refusals) {
    await recordRefusal(tx, { source: nodeDid, did: claimedActor(body), streamSeq: seq, reason });
  }
  await moveCursor(tx, nodeDid, seq);
  return { cursor: seq, newest: seq, refusals };
}

async function commitOrRefusal(tx: Transaction, nodeDid: Did, body: unknown): Promise<string[]> {
  try {
    return await applyCommit(tx, nodeDid, body);
  } catch (error) {
    // Everything is proven before the first row is written: there is nothing to take back.
    if (!(error instanceof ProofError)) throw error;
    const { reason } = error;
    const did = claimedActor(body);
    if (reason !== 'not-continuous' || !did) return [reason];
    // The first says it all, until the repo is fetched anew.
    return (await askForRepo(tx, { did, nodeDid, reason })) ? [reason] : [];
  }
}

/** One event that the database cannot hold must not stop a node for good. */
async function skipUnstorable({ db, nodeDid }: EventSource, { body }: NodeEvent): Promise<Outcome> {
  const seq = positionOf(body) ?? 0;
  const reason = 'not-storable';
  await inTransaction(db, async (tx) => {
    await lockNodeState(tx, nodeDid);
    await recordRefusal(tx, { source: nodeDid, did: claimedActor(body), streamSeq: seq, reason });
    await moveCursor(tx, nodeDid, seq);
  });
  return { cursor: seq, newest: seq, refusals: [reason] };
}

/** Whether an entry was read from the log itself before the stream brought it. */
function isRead(entry: Uint8Array, logRead: number): boolean {
  try {
    const { seq } = decodeCanonicalMap(entry);
    return Number.isSafeInteger(seq) && Number(seq) >= 1 && Number(seq) <= logRead;
  } catch (error) {
    if (error instanceof ProofError) return false;
    throw error;
  }
}

function positionOf(body: unknown): number | undefined {
  const seq = (body as { seq?: unknown } | null)?.seq;
  return Number.isSafeInteger(seq) && Number(seq) > 0 ? Number(seq) : undefined;
}
