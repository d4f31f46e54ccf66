import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPrismaClient, GATEWAY_ROLE, type PrismaClient, whyUnguarded } from '@stratos/prisma';
import {
  createIdentityResolver,
  createServiceAuthVerifier,
  DpopNonces,
  DpopVerifier,
  loadOrCreateSigningKey,
  MemoryReplayStore,
  Sessions,
} from '@stratos/protocol';
import { ConfigError, listenHost } from '@stratos/protocol/environment';
import type { GatewayConfig } from './config.ts';
import { Cursors } from './feeds/cursors.ts';
import { createLogger } from './logger.ts';
import { RequestContexts } from './request-context.ts';
import { createApp } from './server.ts';
import { loadGatewayKeys } from './viewer/keys.ts';
import { RedisReplayStore } from './viewer/redis-replay-store.ts';
import { RequestViewers } from './viewer/requests.ts';
import { Viewers } from './viewer/viewers.ts';

const STATEMENT_TIMEOUT_MS = 5_000;
const DRAIN_MS = 8_000;

export interface Gateway extends AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
}

/**
 * Starts a gateway. Disposing of it lets running requests finish.
 *
 * @throws ConfigError when its database would show it more than one viewer may see
 */
export async function startGateway(config: GatewayConfig): Promise<Gateway> {
  await using resources = new AsyncDisposableStack();
  const logger = createLogger(config.logLevel);
  const prisma = createPrismaClient(config.databaseUrl, {
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  resources.defer(() => prisma.$disconnect());
  await requireRowSecurity(prisma);
  const replayStore = config.redisUrl
    ? resources.use(new RedisReplayStore(config.redisUrl, logger))
    : new MemoryReplayStore();
  const appViewKey = await loadOrCreateSigningKey(config.appViewKeyFile, 'secp256k1');
  const keys = await loadGatewayKeys(config.sessionKeyFile);

  const nonces = new DpopNonces(keys.dpopNonce);
  const identity = createIdentityResolver({ plcUrl: config.plcUrl, devMode: config.devMode });
  const viewers = new RequestViewers(
    new Viewers({
      serviceAuth: createServiceAuthVerifier({
        audience: config.appViewDid,
        identity,
        replayStore,
      }),
      sessions: new Sessions(keys.session, config.appViewDid),
      dpop: new DpopVerifier({ nonces, replayStore }),
      bearerSessions: config.bearerSessions,
    }),
    nonces,
    config.publicUrl,
  );
  const counter = { refused: 0 };
  const cursors = new Cursors(keys.cursor);
  const contexts = new RequestContexts(viewers, { prisma, cursors, logger, counter });
  const app = createApp({
    config,
    logger,
    prisma,
    appViewKey: appViewKey.did(),
    contexts,
    viewers,
    counter,
  });
  const server = createServer({ requestTimeout: 30_000 }, app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(config.port, listenHost(config.devMode), resolve);
  });
  resources.defer(() => close(server));
  const { port } = server.address() as AddressInfo;
  logger.info({ port, url: config.publicUrl, did: config.appViewDid }, 'gateway listens');
  const owned = resources.move();
  return { port, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function requireRowSecurity(prisma: PrismaClient): Promise<void> {
  const reason = await whyUnguarded(prisma);
  if (!reason) return;
  throw new ConfigError(
    `DATABASE_URL: ${reason}. The gateway needs a login of its own: ` +
      `CREATE ROLE gateway LOGIN PASSWORD '…' IN ROLE ${GATEWAY_ROLE}`,
  );
}

async function close(server: ReturnType<typeof createServer>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const impatience = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(impatience);
}
