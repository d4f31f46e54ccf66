import { createPrismaClient, migrate } from '@stratos/prisma';
import {
  createGuardedFetch,
  createIdentityResolver,
  loadOrCreateSigningKey,
} from '@stratos/protocol';
import { processMetrics, type Tracing } from '@stratos/protocol/telemetry';
import type { Config } from './config.ts';
import { openPdsSide } from './firehose/pds-side.ts';
import { Presence } from './followers/presence.ts';
import { SourceTurn } from './followers/source-turn.ts';
import { Turns } from './followers/turns.ts';
import { startHealthServer } from './health/health-server.ts';
import { Watch } from './health/watch.ts';
import type { Logger } from './logger.ts';
import { NodeDirectory } from './nodes/node-directory.ts';
import { RegularPruning } from './pruning/regular-pruning.ts';
import { RepoResyncs } from './resync/repo-resyncs.ts';
import { Shortage } from './shortage.ts';
import { Telemetry } from './telemetry/telemetry.ts';

/** A hundred entries with as many boundaries as may be. */
const MAX_LOG_PAGE_BYTES = 16 * 1024 * 1024;

/** Nodes for which is written at the same time: what flooding ones can take up at most. */
const BATCHES_AT_ONCE = 8;
/** Connections to Postgres. */
const POOL_SIZE = 24;
/** Milliseconds in which an indexer has to be able to say that it is there. */
const BEAT_WITHIN_MS = 3_000;

export interface Indexer extends AsyncDisposable {
  /** Where health and status are asked for. */
  readonly port: number;
}

/**
 * Migrates the database, then follows the firehose and every node until it is disposed.
 *
 * @param tracing - of which it takes possession
 */
export async function startIndexer(
  config: Config,
  logger: Logger,
  tracing?: Tracing,
): Promise<Indexer> {
  await using opened = new AsyncDisposableStack();
  if (tracing) opened.use(tracing);
  const telemetry = new Telemetry(tracing?.tracer);
  const { devMode, plcUrl, handleResolverUrl, leaseSeconds } = config;
  const applied = await migrate(config.databaseUrl);
  if (applied.length > 0) logger.info({ applied }, 'migrated the database');
  const db = createPrismaClient(config.databaseUrl, { poolSize: POOL_SIZE });
  opened.defer(() => db.$disconnect());

  const identity = createIdentityResolver({ plcUrl, devMode, handleResolverUrl });
  const key = await loadOrCreateSigningKey(config.appViewKeyFile, 'secp256k1');
  const appView = { did: config.appViewDid, key };
  const maxReconnectMs = devMode ? 5_000 : 30_000;
  const shortage = new Shortage(1.5 * maxReconnectMs);
  const turns = new Turns(BATCHES_AT_ONCE);
  const fetchLog = createGuardedFetch({ devMode, maxBytes: MAX_LOG_PAGE_BYTES });

  // Its own connection, so that it is heard however busy the others are.
  const aside = createPrismaClient(config.databaseUrl, {
    poolSize: 1,
    statementTimeoutMs: BEAT_WITHIN_MS,
  });
  opened.defer(() => aside.$disconnect());
  const presence = opened.use(new Presence(aside, logger, config.name));
  await presence.start();
  const nodes = opened.use(
    new NodeDirectory(
      {
        ...{ db, identity, fetchLog, appView, leaseSeconds, devMode, maxReconnectMs, logger },
        telemetry,
        maxOpenMs: devMode ? 5_000 : 60 * 60_000,
        shortage,
        turns,
      },
      config.nodes,
      presence,
    ),
  );
  const resyncs = opened.use(
    new RepoResyncs({
      db,
      identity,
      appView,
      devMode,
      logger,
      mayFollow: (did) => nodes.isFollowing(did),
      telemetry,
    }),
  );
  await nodes.resume();
  resyncs.start();
  const firehose = opened.use(
    new SourceTurn({
      db,
      presence,
      source: config.firehoseUrl,
      logger,
      begin: (claim) =>
        openPdsSide(
          {
            db,
            identity,
            url: config.firehoseUrl,
            plcUrl,
            maxReconnectMs,
            shortage,
            turns,
            maxRetryMs: devMode ? 5_000 : 10 * 60_000,
            mayFollow: (did) => nodes.mayFollow(did),
            onNode: () => nodes.soon(),
            logger,
            telemetry,
          },
          claim,
        ),
    }),
  );
  await firehose.start();
  opened.use(new RegularPruning(db, logger));
  const watch = opened.use(
    new Watch({
      db,
      firehose: async () => firehose.work?.status(),
      nodes: () => nodes.status(),
      resyncs: () => resyncs.progress(),
      onError: (error) => logger.debug({ err: error }, 'rates are not measured'),
    }),
  );
  watch.observe(telemetry.metrics);
  const health = opened.use(
    await startHealthServer(
      { ...config, password: config.adminPassword },
      {
        // An indexer that waits for its turn at the firehose does all else.
        isReady: async () =>
          presence.isHeard &&
          !shortage.isLasting &&
          ((await firehose.work?.status())?.connected ?? true),
        status: () => watch.status(),
        metrics: async () => `${await telemetry.metrics.text()}\n${await processMetrics()}`,
      },
    ),
  );
  logger.info({ port: health.port }, 'the indexer is running');

  const owned = opened.move();
  return { port: health.port, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
