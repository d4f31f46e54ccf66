import {
  type Did,
  type DidKey,
  type IdentityResolver,
  mintServiceAuth,
  type SigningKey,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type PQueue from 'p-queue';
import { applyEvents, BrokenTrustError, type EventSource } from '../applying/apply-event.ts';
import type { NodeEvent } from '../applying/node-event.ts';
import { lockNodeState } from '../applying/node-state.ts';
import { recordRefusal } from '../applying/refusal.ts';
import { pause } from '../backoff.ts';
import { type Database, inTransaction } from '../database.ts';
import { type Fence, TakenOverError } from '../followers/fence.ts';
import { Revocations } from '../holds/revocations.ts';
import type { Logger } from '../logger.ts';
import { askForAllRepos } from '../resync/ask-for-repos.ts';
import type { Shortage } from '../shortage.ts';
import { noTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import type { Room } from './arrivals.ts';
import { BatchSize } from './batch-size.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import { keyHistoryOf } from './key-history.ts';
import { readMembershipLog } from './membership-log.ts';
import { type NodeIdentity, resolveNode } from './node-identity.ts';
import { GarbledStreamError, NodeStream, NodeStreamError } from './node-stream.ts';
import { proveAhead } from './prove-ahead.ts';

/** People whose keys are remembered for each node. */
const SEEN_KEYS = 10_000;
/** Bytes of events after which no more are applied in the same transaction. */
const BATCH_BYTES = 2 * 1024 * 1024;

export interface FollowerContext {
  db: Database;
  identity: IdentityResolver;
  /** The guarded client, with a limit for pages of a membership log. */
  fetchLog: typeof globalThis.fetch;
  appView: { did: Did; key: SigningKey };
  leaseSeconds: number;
  /** By which it is known that no other indexer has taken over the node. */
  fence?: Fence;
  devMode: boolean;
  /** Longest wait between two attempts. */
  maxReconnectMs: number;
  /** Longest time for which a node that lies is left alone. */
  maxOpenMs: number;
  /** Told of what writing fails with. */
  shortage: Shortage;
  /** What may be read of each node before its turn. */
  room: Room;
  /** Where batches of all nodes wait to be applied: who has come first is next. */
  turns: PQueue;
  logger: Logger;
  telemetry?: Telemetry;
}

/** What is known of a source while it is followed. */
export interface SourceStatus {
  connected: boolean;
  cursor: number;
  /** Events that the node has and we have not. */
  lag: number;
  refused: number;
  /** Connections that failed. */
  errors?: number;
  /** Whether a node that lies or sends garbage is left alone. */
  breaker?: BreakerState;
}

/** Follows one node until aborted, whatever the node does meanwhile. */
export async function followNode(
  context: FollowerContext,
  nodeDid: Did,
  status: SourceStatus,
  signal: AbortSignal,
): Promise<void> {
  const logger = context.logger.child({ node: nodeDid });
  const breaker = new Breaker(context);
  const onApplied = () => {
    breaker.worked();
    status.breaker = breaker.state;
  };
  while (!signal.aborted) {
    let isBroken = false;
    try {
      const applied = await followOnce({ ...context, logger, onApplied }, nodeDid, status, signal);
      logger.debug({ applied }, 'the node closed the stream');
    } catch (error) {
      if (error instanceof TakenOverError) return;
      // A node that contradicts itself does so again: it has to wait longer each time.
      isBroken = error instanceof BrokenTrustError || error instanceof GarbledStreamError;
      context.shortage.note(error);
      if (isBroken) status.refused++;
      status.errors = (status.errors ?? 0) + 1;
      if (isRolledBack(error)) await noteRollback(context, nodeDid).catch(() => {});
      logger.warn({ err: error }, 'the node cannot be followed at the moment');
    }
    status.connected = false;
    breaker.ended({ isBroken });
    status.breaker = breaker.state;
    await pause(breaker.wait(), signal);
    breaker.connecting();
    status.breaker = breaker.state;
  }
}

async function followOnce(
  context: FollowerContext & { onApplied: () => void },
  nodeDid: Did,
  status: SourceStatus,
  signal: AbortSignal,
): Promise<number> {
  const { db, identity, appView, leaseSeconds, fence, devMode, logger } = context;
  const { telemetry = noTelemetry } = context;
  const node = await resolveNode(identity, nodeDid);
  const history = await keyHistoryOf(identity, node);
  const cursor = await rememberNode(db, node);
  status.cursor = cursor;
  const lxm = zone.stratos.sync.subscribeService.$lxm;
  const { did: issuer, key } = appView;
  const token = await mintServiceAuth({ issuer, audience: nodeDid, lxm, key });

  const { endpoint, keys } = node;
  const onError = (error: unknown) =>
    logger.warn({ err: error }, 'a revocation waits for its turn');
  await using revocations = new Revocations({ db, nodeDid, onError });
  const seenKeys = new Map<Did, DidKey>();
  const source = {
    ...{ db, fence, nodeDid, endpoint, keys, history, leaseSeconds, madeUp: false },
    ahead: () => revocations.ahead,
    onKey: (did: Did, personKey: DidKey) => {
      if (seenKeys.size >= SEEN_KEYS) seenKeys.clear();
      seenKeys.set(did, personKey);
    },
  };
  let isApplying = false;
  using stream = new NodeStream({
    ...{ endpoint, cursor, token, devMode, signal, room: context.room },
    onArrival: (event) => {
      if (isApplying || stream.waiting > 0) revocations.arrive(event);
    },
  });
  await using proven = proveAhead(stream, {
    nodeDid,
    knownKey: (did) => seenKeys.get(did),
    room: context.room,
  });
  let applied = 0;
  for (const size = new BatchSize(); ; ) {
    isApplying = false;
    const events = await proven.take(size.most, batchEnd());
    if (!events) return applied;
    isApplying = true;
    const last = events.at(-1);
    if (last && isLoss(last)) {
      if (events.length > 1) await applyEvents(source, events.slice(0, -1));
      logger.warn({ cursor: status.cursor }, 'events of the node are lost; fetching all anew');
      await makeUpForLoss(context, source, signal);
      source.madeUp = true;
      continue;
    }
    const outcome = await context.turns.add(() =>
      size.measure(events.length, () =>
        telemetry.batch(nodeDid, events.length, () => applyEvents(source, events)),
      ),
    );
    context.onApplied();
    revocations.applied(outcome.cursor);
    if (outcome.cursor !== status.cursor) source.madeUp = false;
    if (!status.connected) {
      logger.info({ cursor }, 'following the node');
      await forgetRollback(db, nodeDid);
    }
    applied += events.length;
    status.connected = true;
    status.cursor = outcome.cursor;
    status.lag = Math.max(0, outcome.newest - outcome.cursor);
    status.refused += outcome.refusals.length;
    if (outcome.refusals.length > 0) {
      logger.warn({ seq: outcome.cursor, reasons: outcome.refusals }, 'refused');
    }
  }
}

/**
 * Where a batch ends: after a heartbeat, because what follows has nothing to do with the lease; after a
 * loss, which is made up for between two batches; and when it has as many bytes as it may.
 */
function batchEnd(): (event: NodeEvent) => boolean {
  let bytes = 0;
  return ({ type, size = 0 }) => {
    bytes += size;
    return type === '#heartbeat' || type === '#info' || bytes >= BATCH_BYTES;
  };
}

function isLoss({ type, body }: NodeEvent): boolean {
  return type === '#info' && (body as { name?: unknown } | null)?.name === 'OutdatedCursor';
}

/**
 * The log says who is a member now, and the repos what they have written. What is asked for is durable
 * before the cursor moves; until then the node says again that events are lost.
 */
async function makeUpForLoss(
  context: FollowerContext,
  source: EventSource & { endpoint: string },
  signal: AbortSignal,
): Promise<void> {
  await readMembershipLog(context, source, signal);
  await askForAllRepos(context.db, source.nodeDid);
}

function isRolledBack(error: unknown): boolean {
  return error instanceof NodeStreamError && error.code === 'FutureCursor';
}

/**
 * A node that knows less than it told us was restored from a backup. What was deleted since might be
 * there again, so nothing is taken from it, and its lease runs out, until an operator decides.
 */
async function noteRollback({ db, fence }: FollowerContext, nodeDid: Did): Promise<void> {
  await inTransaction(db, async (tx) => {
    await lockNodeState(tx, nodeDid, fence);
    const where = { did: nodeDid, rolledBackAt: null };
    await tx.node.updateMany({ where, data: { rolledBackAt: new Date() } });
    await recordRefusal(tx, { source: nodeDid, reason: 'rolled-back' });
  });
}

/** The node has again what it told before. */
async function forgetRollback(db: Database, nodeDid: Did): Promise<void> {
  const where = { did: nodeDid, rolledBackAt: { not: null } };
  await db.node.updateMany({ where, data: { rolledBackAt: null } });
}

async function rememberNode(db: Database, { did, endpoint }: NodeIdentity): Promise<number> {
  const node = await db.node.upsert({
    where: { did },
    create: { did, endpoint },
    update: { endpoint },
  });
  return Number(node.streamCursor);
}
