import {
  type Did,
  type IdentityResolver,
  mintServiceAuth,
  type SigningKey,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { applyEvent, BrokenTrustError } from '../applying/apply-event.ts';
import { backoff } from '../backoff.ts';
import type { Database } from '../database.ts';
import type { Logger } from '../logger.ts';
import { keyHistoryOf } from './key-history.ts';
import { type NodeIdentity, resolveNode } from './node-identity.ts';
import { nodeEvents } from './node-stream.ts';

export interface FollowerContext {
  db: Database;
  identity: IdentityResolver;
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

  const source = { db, nodeDid, keys: node.keys, history, leaseSeconds };
  const { endpoint } = node;
  let applied = 0;
  for await (const event of nodeEvents({ endpoint, cursor, token, devMode, signal })) {
    const outcome = await applyEvent(source, event);
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

async function rememberNode(db: Database, { did, endpoint }: NodeIdentity): Promise<number> {
  const node = await db.node.upsert({
    where: { did },
    create: { did, endpoint },
    update: { endpoint },
  });
  return Number(node.streamCursor);
}
