import { createPrismaClient, migrate } from '@stratos/prisma';
import {
  createGuardedFetch,
  createIdentityResolver,
  loadOrCreateSigningKey,
} from '@stratos/protocol';
import type { Config } from './config.ts';
import type { Database } from './database.ts';
import { followFirehose } from './firehose/follow-firehose.ts';
import { startHealthServer } from './health/health-server.ts';
import type { Logger } from './logger.ts';
import { HandleLookups } from './lookups/handle-lookups.ts';
import { NodeDiscovery } from './lookups/node-discovery.ts';
import { NodeDirectory } from './nodes/node-directory.ts';
import { RepoResyncs } from './resync/repo-resyncs.ts';

/** A hundred entries with as many boundaries as may be. */
const MAX_LOG_PAGE_BYTES = 16 * 1024 * 1024;

export interface Indexer extends AsyncDisposable {
  /** Where health and status are asked for. */
  readonly port: number;
}

/** Migrates the database, then follows the firehose and every node until it is disposed. */
export async function startIndexer(config: Config, logger: Logger): Promise<Indexer> {
  await using opened = new AsyncDisposableStack();
  const { devMode, plcUrl, handleResolverUrl, leaseSeconds } = config;
  const applied = await migrate(config.databaseUrl);
  if (applied.length > 0) logger.info({ applied }, 'migrated the database');
  const db = createPrismaClient(config.databaseUrl, { poolSize: 16 });
  opened.defer(() => db.$disconnect());

  const identity = createIdentityResolver({ plcUrl, devMode, handleResolverUrl });
  const key = await loadOrCreateSigningKey(config.appViewKeyFile, 'secp256k1');
  const appView = { did: config.appViewDid, key };
  const maxReconnectMs = devMode ? 5_000 : 30_000;
  const fetchLog = createGuardedFetch({ devMode, maxBytes: MAX_LOG_PAGE_BYTES });

  const nodes = opened.use(
    new NodeDirectory(
      { db, identity, fetchLog, appView, leaseSeconds, devMode, maxReconnectMs, logger },
      config.nodes,
    ),
  );
  const discovery = opened.use(
    new NodeDiscovery({
      db,
      identity,
      logger,
      maxRetryMs: devMode ? 5_000 : 10 * 60_000,
      mayFollow: (did) => nodes.mayFollow(did),
      onNode: (did) => nodes.follow(did),
    }),
  );
  const handles = opened.use(new HandleLookups({ db, identity, logger }));
  const resyncs = opened.use(
    new RepoResyncs({
      db,
      identity,
      appView,
      devMode,
      logger,
      mayFollow: (did) => nodes.mayFollow(did),
    }),
  );
  await nodes.resume();
  discovery.start();
  handles.start();
  resyncs.start();
  const firehose = opened.use(
    await followFirehose({
      db,
      identity,
      url: config.firehoseUrl,
      plcUrl,
      maxReconnectMs,
      logger: logger.child({ firehose: config.firehoseUrl }),
      lookups: {
        knownNode: (serviceUrl) => discovery.knownNode(serviceUrl),
        findNode: (serviceUrl) => discovery.soon(serviceUrl),
        findHandle: (did) => handles.soon(did),
      },
    }),
  );
  const health = opened.use(
    await startHealthServer(config, {
      isReady: async () => (await isAnswering(db)) && (await firehose.status()).connected,
      status: async () => ({
        firehose: await firehose.status(),
        nodes: nodes.status(),
        resyncs: await resyncs.waiting(),
      }),
    }),
  );
  logger.info({ port: health.port }, 'the indexer is running');

  const owned = opened.move();
  return { port: health.port, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function isAnswering(db: Database): Promise<boolean> {
  await db.$queryRaw`select 1`;
  return true;
}
