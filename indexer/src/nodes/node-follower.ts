import {
  type Did,
  type IdentityResolver,
  mintServiceAuth,
  type SigningKey,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import {
  applyEvent,
  BrokenTrustError,
  type EventSource,
  type NodeEvent,
} from '../applying/apply-event.ts';
import { recordRefusal } from '../applying/refusal.ts';
import { backoff } from '../backoff.ts';
import { type Database, inTransaction } from '../database.ts';
import type { Logger } from '../logger.ts';
import { askForAllRepos } from '../resync/ask-for-repo.ts';
import { keyHistoryOf } from './key-history.ts';
import { readMembershipLog } from './membership-log.ts';
import { type NodeIdentity, resolveNode } from './node-identity.ts';
import { NodeStreamError, nodeEvents } from './node-stream.ts';

export interface FollowerContext {
  db: Database;
  identity: IdentityResolver;
  /** The guarded client, with a limit for pages of a membership log. */
  fetchLog: typeof globalThis.fetch;
  appView: { did: Did; key: SigningKey };
  leaseSeconds: number;
  devMode: boolean;
  /** Longest wait between two attempts. */
  maxReconnectMs: number;
  logger: Logger;
}

/** What is known of a source while it is followed. */
export interface SourceStatus {
  connected: boolean;
  cursor: number;
  /** Events that the node has and we have not. */
  lag: number;
  refused: number;
}

/** Follows one node until aborted, whatever the node does meanwhile. */
export async function followNode(
  context: FollowerContext,
  nodeDid: Did,
  status: SourceStatus,
  signal: AbortSignal,
): Promise<void> {
  const logger = context.logger.child({ node: nodeDid });
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const applied = await followOnce({ ...context, logger }, nodeDid, status, signal);
      if (applied > 0) attempt = 0;
      logger.debug({ applied }, 'the node closed the stream');
    } catch (error) {
      // A node that contradicts itself does so again: it has to wait longer each time.
      if (status.connected && !(error instanceof BrokenTrustError)) attempt = 0;
      if (error instanceof BrokenTrustError) status.refused++;
      if (isRolledBack(error)) await noteRollback(context.db, nodeDid).catch(() => {});
      logger.warn({ err: error }, 'the node cannot be followed at the moment');
    }
    status.connected = false;
    await backoff(attempt, context.maxReconnectMs, signal);
  }
}

async function followOnce(
  context: FollowerContext,
  nodeDid: Did,
  status: SourceStatus,
  signal: AbortSignal,
): Promise<number> {
  const { db, identity, appView, leaseSeconds, devMode, logger } = context;
  const node = await resolveNode(identity, nodeDid);
  const history = await keyHistoryOf(identity, node);
  const cursor = await rememberNode(db, node);
  status.cursor = cursor;
  const lxm = zone.stratos.sync.subscribeService.$lxm;
  const { did: issuer, key } = appView;
  const token = await mintServiceAuth({ issuer, audience: nodeDid, lxm, key });

  const { endpoint } = node;
  const source = { db, nodeDid, endpoint, keys: node.keys, history, leaseSeconds, madeUp: false };
  let applied = 0;
  for await (const event of nodeEvents({ endpoint, cursor, token, devMode, signal })) {
    if (isLoss(event)) {
      logger.warn({ cursor: status.cursor }, 'events of the node are lost; fetching all anew');
      await makeUpForLoss(context, source, signal);
      source.madeUp = true;
      continue;
    }
    const outcome = await applyEvent(source, event);
    if (outcome.cursor !== status.cursor) source.madeUp = false;
    if (!status.connected) logger.info({ cursor }, 'following the node');
    applied++;
    status.connected = true;
    status.cursor = outcome.cursor;
    status.lag = Math.max(0, outcome.newest - outcome.cursor);
    status.refused += outcome.refusals.length;
    if (outcome.refusals.length > 0) {
      logger.warn({ seq: outcome.cursor, reasons: outcome.refusals }, 'refused');
    }
  }
  return applied;
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
async function noteRollback(db: Database, nodeDid: Did): Promise<void> {
  await inTransaction(db, (tx) => recordRefusal(tx, { source: nodeDid, reason: 'rolled-back' }));
}

async function rememberNode(db: Database, { did, endpoint }: NodeIdentity): Promise<number> {
  const node = await db.node.upsert({
    where: { did },
    create: { did, endpoint },
    update: { endpoint },
  });
  return Number(node.streamCursor);
}
