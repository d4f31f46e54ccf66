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
import type { MadeUp } from '../applying/judge-heartbeat.ts';
import { type NodeEvent, positionOf } from '../applying/node-event.ts';
import { pause } from '../backoff.ts';
import type { Database } from '../database.ts';
import { type Fence, TakenOverError } from '../followers/fence.ts';
import type { Turns } from '../followers/turns.ts';
import { Revocations } from '../holds/revocations.ts';
import type { Logger } from '../logger.ts';
import { askForAllRepos } from '../resync/ask-for-repos.ts';
import type { Shortage } from '../shortage.ts';
import { noTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import type { Room } from './arrivals.ts';
import { BatchSize } from './batch-size.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import { keyHistoryOf } from './key-history.ts';
import { LookAhead } from './look-ahead.ts';
import { readMembershipLog } from './membership-log.ts';
import { type NodeIdentity, resolveNode } from './node-identity.ts';
import { GarbledStreamError, NodeStream } from './node-stream.ts';
import { proveAhead } from './prove-ahead.ts';
import { followRecords } from './records/follow-records.ts';
import { lacksStream } from './records/lacks-stream.ts';
import { leaveRecords } from './records/leave-records.ts';
import { endRollback, knowsLess, noteRollback } from './rollback.ts';

/** People whose keys are remembered for each node. */
const SEEN_KEYS = 10_000;
/** Bytes of events after which no more are applied in the same transaction. */
const BATCH_BYTES = 2 * 1024 * 1024;
/** Milliseconds after which a node that had no stream of all is asked for it again. */
const ASK_AGAIN_MS = 60 * 60_000;

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
  /** The sockets to nodes without a stream of all. */
  sockets: PQueue;
  /** Members that a node may have. */
  maxMembers: number;
  /** Milliseconds after which a node that had no stream of all is asked for it again. */
  askAgainMs?: number;
  turns: Turns;
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
  /** At a node without a stream of all: how many are listened to, and how many wait for their turn. */
  people?: { sockets: number; waiting: number } | undefined;
}

interface Following extends FollowerContext {
  onApplied: () => void;
  /** Whether the log is read first, because what the stream said did not fit to what is known of it. */
  readsLog: boolean;
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
  let askAt = 0;
  let readsLog = false;
  while (!signal.aborted) {
    let isBroken = false;
    const following = { ...context, logger, onApplied, readsLog };
    try {
      if (performance.now() < askAt) {
        const end = AbortSignal.timeout(Math.ceil(askAt - performance.now()));
        await followRecords(following, nodeDid, status, AbortSignal.any([signal, end]));
      } else if (await isServed(following, nodeDid, status, signal)) {
        logger.debug('the node closed the stream');
      } else {
        logger.info('the node has no stream of all');
        askAt = performance.now() + (context.askAgainMs ?? ASK_AGAIN_MS);
      }
    } catch (error) {
      if (error instanceof TakenOverError) return;
      // A node that contradicts itself does so again: it has to wait longer each time.
      isBroken = error instanceof BrokenTrustError || error instanceof GarbledStreamError;
      context.shortage.note(error);
      if (isBroken) status.refused++;
      status.errors = (status.errors ?? 0) + 1;
      if (knowsLess(error)) await noteRollback(context, nodeDid).catch(() => {});
      logger.warn({ err: error }, 'the node cannot be followed at the moment');
    }
    status.connected = false;
    readsLog = isBroken && !readsLog;
    breaker.ended({ isBroken });
    status.breaker = breaker.state;
    await pause(breaker.wait(), signal);
    breaker.connecting();
    status.breaker = breaker.state;
  }
}

/**
 * Follows the stream of a node, if it has one.
 *
 * @returns false if it has none. A node that has once kept a log is not taken at its word without.
 */
async function isServed(
  context: Following,
  nodeDid: Did,
  status: SourceStatus,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await followOnce(context, nodeDid, status, signal);
    return true;
  } catch (error) {
    const node = await context.db.node.findUniqueOrThrow({ where: { did: nodeDid } });
    const hasLog = node.membershipSeq > 0n;
    if (hasLog || !(await lacksStream(context.identity, node.endpoint, error))) throw error;
    return false;
  }
}

async function followOnce(
  context: Following,
  nodeDid: Did,
  status: SourceStatus,
  signal: AbortSignal,
): Promise<number> {
  const { db, identity, appView, leaseSeconds, fence, devMode, turns, logger } = context;
  const { telemetry = noTelemetry } = context;
  const node = await resolveNode(identity, nodeDid);
  const history = await keyHistoryOf(identity, node);
  const { cursor, stream: known, isRolledBack } = await rememberNode(db, node);
  status.cursor = cursor;
  const lxm = zone.stratos.sync.subscribeService.$lxm;
  const { did: issuer, key } = appView;
  const newToken = () => mintServiceAuth({ issuer, audience: nodeDid, lxm, key });
  const token = await newToken();

  const { endpoint, keys } = node;
  const onError = (error: unknown) =>
    logger.warn({ err: error }, 'a revocation waits for its turn');
  await using revocations = new Revocations({ db, nodeDid, turns, onError });
  const seenKeys = new Map<Did, DidKey>();
  const source = {
    ...{ db, fence, nodeDid, endpoint, keys, history, leaseSeconds },
    madeUp: undefined as MadeUp | undefined,
    ahead: () => revocations.ahead,
    onKey: (did: Did, personKey: DidKey) => {
      if (seenKeys.size >= SEEN_KEYS) seenKeys.clear();
      seenKeys.set(did, personKey);
    },
  };
  if (context.readsLog) await readMembershipLog(context, source, signal);
  const { room } = context;
  await using lookAhead = new LookAhead(
    {
      open: async (from, options) =>
        new NodeStream({
          ...{ endpoint, cursor: from, token: await newToken(), devMode, room },
          ...options,
        }),
      onEvent: (event) => revocations.arrive(event),
      onError: (error) => logger.warn({ err: error }, 'what waits is not looked at'),
    },
    cursor,
  );
  let isApplying = false;
  using stream = new NodeStream({
    ...{ endpoint, cursor, token, devMode, signal, room },
    onArrival: (event) => {
      const isNews = lookAhead.arrived(event, stream);
      if (isNews && (isApplying || stream.waiting > 0)) revocations.arrive(event);
    },
    onFull: () => lookAhead.begin(),
  });
  await using proven = proveAhead(stream, {
    nodeDid,
    knownKey: (did) => seenKeys.get(did),
    room,
    turns,
  });
  let applied = 0;
  let isBehind = isRolledBack;
  let isByPeople = known === 'records';
  for (const size = new BatchSize(); ; ) {
    isApplying = false;
    const events = await proven.take(size.most, batchEnd());
    if (!events) return applied;
    if (isByPeople) await leaveRecords(context, source, signal);
    isByPeople = false;
    isApplying = true;
    if (isBehind) await endRollback(context, source, { signal, isPast: isPast(cursor, events) });
    isBehind = false;
    const last = events.at(-1);
    if (last && isLoss(last)) {
      if (events.length > 1) await applyEvents(source, events.slice(0, -1));
      logger.warn({ cursor: status.cursor }, 'events of the node are lost; fetching all anew');
      await makeUpForLoss(context, source, signal);
      source.madeUp = {};
      continue;
    }
    const outcome = await turns.next(() =>
      size.measure(events.length, () =>
        telemetry.batch(nodeDid, events.length, () => applyEvents(source, events)),
      ),
    );
    context.onApplied();
    revocations.applied(outcome.cursor);
    if (source.madeUp) {
      const isStill = outcome.cursor === status.cursor;
      source.madeUp = isStill ? { heard: outcome.newest } : undefined;
    }
    if (!status.connected) logger.info({ cursor }, 'following the node');
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

/** Whether events are of a node that is at or past a position. */
function isPast(cursor: number, [first]: readonly NodeEvent[]): boolean {
  return first !== undefined && (isLoss(first) || (positionOf(first.body) ?? 0) >= cursor);
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

async function rememberNode(
  db: Database,
  { did, endpoint }: NodeIdentity,
): Promise<{ cursor: number; stream: string; isRolledBack: boolean }> {
  const node = await db.node.upsert({
    where: { did },
    create: { did, endpoint },
    update: { endpoint },
  });
  const { streamCursor, stream, rolledBackAt } = node;
  return { cursor: Number(streamCursor), stream, isRolledBack: rolledBackAt !== null };
}
