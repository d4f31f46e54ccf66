import { IdResolver, MemoryCache } from '@atproto/identity';
import { RepoVerificationError } from '@atproto/repo';
import {
  Firehose,
  FirehoseHandlerError,
  FirehoseParseError,
  FirehoseSubscriptionError,
} from '@atproto/sync';
import type { IdentityResolver } from '@stratos/protocol';
import { recordRefusal } from '../applying/refusal.ts';
import { type Database, inTransaction } from '../database.ts';
import type { Logger } from '../logger.ts';
import type { SourceStatus } from '../nodes/node-follower.ts';
import type { Lookups } from './apply-enrollment.ts';
import { applyFirehoseEvent, PUBLIC_COLLECTIONS } from './apply-firehose-event.ts';
import { DurableRunner, type Failure } from './durable-runner.ts';

const CONCURRENCY = 8;

export interface FirehoseContext {
  db: Database;
  identity: IdentityResolver;
  /** `ws(s)://` base of the PDS or relay; also the name of its cursor. */
  url: string;
  plcUrl: string;
  maxReconnectMs: number;
  logger: Logger;
  lookups: Lookups;
}

export interface FollowedFirehose extends AsyncDisposable {
  status(): Promise<SourceStatus>;
}

/** Follows a PDS or relay from the stored cursor, or from the beginning, until disposed. */
export async function followFirehose(context: FirehoseContext): Promise<FollowedFirehose> {
  const { db, identity, url, maxReconnectMs, logger } = context;
  const stored = await db.syncCursor.findUnique({ where: { source: url } });
  let refused = 0;
  const runner = new DurableRunner({
    startCursor: Number(stored?.seq ?? 0),
    concurrency: CONCURRENCY,
    maxRetryMs: maxReconnectMs,
    save: (cursor) => saveCursor(db, url, cursor),
    onSaveError: (error) => logger.warn({ err: error }, 'the cursor of the firehose is not saved'),
    onGivenUp: async (streamSeq, did) => {
      refused++;
      const refusal = { source: url, did, streamSeq, reason: 'unproven' };
      await inTransaction(db, (tx) => recordRefusal(tx, refusal));
    },
  });
  const firehose = new Firehose({
    service: url,
    runner,
    idResolver: new IdResolver({
      plcUrl: context.plcUrl,
      didCache: new MemoryCache(60_000, 600_000),
      fetch: identity.fetch,
    }),
    filterCollections: PUBLIC_COLLECTIONS,
    unauthenticatedHandles: true,
    excludeSync: true,
    maxReconnectSeconds: maxReconnectMs / 1000,
    subscriptionReconnectDelay: 1_000,
    handleEvent: (event) => applyFirehoseEvent({ db, lookups: context.lookups }, event),
    onError(error) {
      const failed = failureOf(error);
      if (failed) runner.reportFailure(failed.seq, failed.failure);
      logger.warn({ err: error.cause ?? error, seq: failed?.seq }, error.message);
    },
  });
  void firehose.start();

  return {
    status: async () => ({
      connected: runner.connections > 0 && (runner.heard || (await isReachable(identity, url))),
      cursor: runner.cursor,
      lag: runner.pending,
      refused,
    }),
    async [Symbol.asyncDispose]() {
      await firehose.destroy();
      await runner[Symbol.asyncDispose]();
    },
  };
}

function failureOf(error: Error): { seq: number; failure: Failure } | undefined {
  if (error instanceof FirehoseSubscriptionError) return undefined;
  if (error instanceof FirehoseHandlerError) return { seq: error.event.seq, failure: 'apply' };
  if (!(error instanceof FirehoseParseError) || !('seq' in error.event)) return undefined;
  const { seq, $type } = error.event;
  if (error.cause instanceof RepoVerificationError) return { seq, failure: 'disproven' };
  return { seq, failure: $type.endsWith('#commit') ? 'check' : 'hint' };
}

async function saveCursor(db: Database, source: string, seq: number): Promise<void> {
  await db.syncCursor.upsert({ where: { source }, create: { source, seq }, update: { seq } });
}

async function isReachable(identity: IdentityResolver, url: string): Promise<boolean> {
  const health = new URL('/xrpc/_health', url.replace(/^ws/, 'http'));
  return identity.fetch(health, { signal: AbortSignal.timeout(2_000) }).then(
    async (response) => {
      await response.body?.cancel();
      return response.ok;
    },
    () => false,
  );
}
