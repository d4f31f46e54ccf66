import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  createPrismaClient,
  DatabaseAwayError,
  type Follow,
  GATEWAY_ROLE,
  whyUnguarded,
} from '@stratos/prisma';
import {
  createGuardedFetch,
  createIdentityResolver,
  createServiceAuthVerifier,
  DpopNonces,
  DpopVerifier,
  MemoryReplayStore,
  Sessions,
  type SigningKey,
} from '@stratos/protocol';
import { ConfigError } from '@stratos/protocol/environment';
import { traced } from '@stratos/protocol/telemetry';
import type { Express } from 'express';
import proxyAddress from 'proxy-addr';
import { MAX_BLOB_BYTES, NodeBlobs } from './blobs/node-blobs.ts';
import type { GatewayConfig } from './config.ts';
import { Cursors } from './feeds/cursors.ts';
import type { TrustedDocuments } from './graphql/trusted-documents.ts';
import { NodeCalls } from './hydration/nodes/node-calls.ts';
import { NodeClient } from './hydration/nodes/node-client.ts';
import { createNodeRecords } from './hydration/nodes/node-records.ts';
import { createProvenRecords } from './hydration/nodes/proven-records.ts';
import { createPostHydrator } from './hydration/posts.ts';
import { GraphqlConnections } from './live/graphql-connections.ts';
import { LIVE_LIMITS } from './live/limits.ts';
import { LiveFeed } from './live/live-feed.ts';
import { XrpcStreams } from './live/xrpc-stream.ts';
import type { Logger } from './logger.ts';
import { RateLimits } from './protection/rate-limits.ts';
import { Reads } from './reads.ts';
import { connectRedis } from './redis.ts';
import { RequestContexts } from './request-context.ts';
import { createApp } from './server.ts';
import { createSignInValues } from './sign-in/kept-values.ts';
import { redirectUri } from './sign-in/oauth-client.ts';
import { PageSessions } from './sign-in/page-sessions.ts';
import { signInRoutes } from './sign-in/routes.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import type { GatewayKeys } from './viewer/keys.ts';
import { RedisReplayStore } from './viewer/redis-replay-store.ts';
import { RequestViewers } from './viewer/requests.ts';
import { Viewers } from './viewer/viewers.ts';

const STATEMENT_TIMEOUT_MS = 5_000;
/** Of a hundred records at once. */
const MAX_NODE_ANSWER_BYTES = 16 * 2 ** 20;
/** For live updates, which nothing else may keep waiting. */
const LIVE_CONNECTIONS = 4;

export interface OpenGatewayOptions {
  config: GatewayConfig;
  logger: Logger;
  /** Of the AppView's DID. */
  appViewKey: SigningKey;
  keys: GatewayKeys;
  trustedDocuments: TrustedDocuments | undefined;
  telemetry: Telemetry;
}

/** A gateway that has its database. */
export interface OpenGateway extends AsyncDisposable {
  app: Express;
  /** Takes over the connection of a request that asks for a WebSocket. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends what would never end by itself. */
  drain(): Promise<void>;
}

/**
 * Puts together what answers.
 *
 * @throws {@link DatabaseAwayError}, or ConfigError when the database would show more than one viewer may see
 */
export async function openGateway(options: OpenGatewayOptions): Promise<OpenGateway> {
  await using resources = new AsyncDisposableStack();
  const { config, logger, appViewKey, keys, trustedDocuments, telemetry } = options;
  const { databaseUrl, keepsPlans, publicUrl } = config;
  const { tracer } = telemetry;
  const follow: Follow = (what, attributes, run) => traced(tracer, what, attributes, run);
  const connections = { statementTimeoutMs: STATEMENT_TIMEOUT_MS, keepsPlans, follow, logger };
  await requireRowSecurity(databaseUrl);
  const reads = resources.use(new Reads(databaseUrl, connections));
  const redis = config.redisUrl ? connectRedis(config.redisUrl, logger) : undefined;
  resources.defer(() => redis?.disconnect());
  const limits = new RateLimits({
    costPerMinute: config.limits.viewerCostPerMinute,
    strangersPerMinute: config.limits.strangerRequestsPerMinute,
    redis,
  });
  const replayStore = redis ? new RedisReplayStore(redis) : new MemoryReplayStore();
  const nonces = new DpopNonces(keys.dpopNonce);
  const identity = createIdentityResolver({ plcUrl: config.plcUrl, devMode: config.devMode });
  const { flows, sessions } = createSignInValues(redis);
  const origins = [publicUrl, redirectUri(publicUrl)].map((url) => new URL(url).origin);
  const pageSessions = new PageSessions({ values: sessions, publicUrl, origins });
  const viewers = new RequestViewers({
    viewers: new Viewers({
      serviceAuth: createServiceAuthVerifier({
        audience: config.appViewDid,
        identity,
        replayStore,
      }),
      sessions: new Sessions(keys.session, config.appViewDid),
      dpop: new DpopVerifier({ nonces, replayStore }),
      bearerSessions: config.bearerSessions,
    }),
    pageSessions,
    nonces,
    limits,
    addressOf: (req) => proxyAddress(req, config.trustedProxies),
    publicUrl,
  });
  const counter = { refused: 0 };
  const nodeClient = (maxBytes: number) =>
    new NodeClient({
      appView: { did: config.appViewDid, key: appViewKey },
      identity,
      fetch: createGuardedFetch({ devMode: config.devMode, maxBytes }),
    });
  const calls = new NodeCalls(logger);
  const client = nodeClient(MAX_NODE_ANSWER_BYTES);
  const { contentCacheBytes: cacheBytes } = config;
  const records =
    config.content === 'hydrate' ? createNodeRecords({ client, calls, cacheBytes }) : undefined;
  const ahead = createProvenRecords({ client, calls });
  const cursors = new Cursors(keys.cursor);
  const liveReads = resources.use(
    new Reads(databaseUrl, { ...connections, poolSize: LIVE_CONNECTIONS }),
  );
  const live = resources.use(
    await LiveFeed.start({
      reads: liveReads,
      requests: reads,
      databaseUrl,
      hydrate: createPostHydrator({ logger, counter, records }),
      cursorKey: keys.cursor,
      limits: { ...LIVE_LIMITS, ...config.live },
      logger,
    }),
  );
  const contexts = new RequestContexts(viewers, {
    ...{ reads, cursors, logger, counter, live, limits, records, ahead },
  });
  const graphqlConnections = new GraphqlConnections();
  const app = createApp({
    config,
    logger,
    reads,
    appViewKey: appViewKey.did(),
    contexts,
    viewers,
    connections: graphqlConnections,
    counter,
    blobs: new NodeBlobs(nodeClient(MAX_BLOB_BYTES)),
    trustedDocuments,
    telemetry,
    signIn: signInRoutes({ config, logger, limits, flows, sessions: pageSessions }),
  });
  telemetry.metrics.observe(
    'stratos_gateway_streams',
    'Streams of live updates that are open',
    () => live.streams,
  );
  telemetry.metrics.observe(
    'stratos_gateway_refused_records',
    'Records that were not served because they are not what was proven when they came in',
    () => counter.refused,
  );
  const streams = resources.use(new XrpcStreams({ contexts, logger }));
  const owned = resources.move();
  return {
    app,
    upgrade: (req, socket, head) => streams.upgrade(req, socket, head),
    async drain() {
      await live.drain();
      graphqlConnections.drain();
      streams[Symbol.dispose]();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function requireRowSecurity(databaseUrl: string): Promise<void> {
  const prisma = createPrismaClient(databaseUrl, { poolSize: 1 });
  try {
    const reason = await whyUnguarded(prisma);
    if (!reason) return;
    throw new ConfigError(
      `DATABASE_URL: ${reason}. The gateway needs a login of its own: ` +
        `CREATE ROLE gateway LOGIN PASSWORD '…' IN ROLE ${GATEWAY_ROLE}`,
    );
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new DatabaseAwayError('the database cannot be asked', { cause });
  } finally {
    await prisma.$disconnect();
  }
}
