import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { DatabaseAwayError } from '@stratos/prisma';
import { loadOrCreateSigningKey } from '@stratos/protocol';
import { listenHost } from '@stratos/protocol/environment';
import type { Tracing } from '@stratos/protocol/telemetry';
import { createClosedApp } from './closed-app.ts';
import type { GatewayConfig } from './config.ts';
import { readTrustedDocuments } from './graphql/trusted-documents.ts';
import { createLogger, type Logger } from './logger.ts';
import { type OpenGateway, openGateway } from './open-gateway.ts';
import { Telemetry } from './telemetry/telemetry.ts';
import { loadGatewayKeys } from './viewer/keys.ts';

const DRAIN_MS = 8_000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;

export interface Gateway extends AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
}

/**
 * Starts a gateway. Where its database cannot be asked it listens all the same, answers `UNAVAILABLE`, and goes on
 * trying. Disposing of it lets running requests finish.
 *
 * @param tracing - of which it takes possession
 * @throws ConfigError when its database would show it more than one viewer may see
 */
export async function startGateway(config: GatewayConfig, tracing?: Tracing): Promise<Gateway> {
  await using resources = new AsyncDisposableStack();
  if (tracing) resources.use(tracing);
  const telemetry = new Telemetry(tracing?.tracer);
  const logger = createLogger(config.logLevel);
  const { trustedDocumentsFile } = config.limits;
  const trustedDocuments = trustedDocumentsFile
    ? await readTrustedDocuments(trustedDocumentsFile)
    : undefined;
  const appViewKey = await loadOrCreateSigningKey(config.appViewKeyFile, 'secp256k1');
  const keys = await loadGatewayKeys(config.sessionKeyFile);
  const attempt = () =>
    openGateway({ config, logger, appViewKey, keys, trustedDocuments, telemetry });

  let opened = await attempt().catch(orLater);
  resources.defer(() => opened?.[Symbol.asyncDispose]());
  const closed = createClosedApp();
  const server = createServer({ requestTimeout: 30_000 }, (req, res) =>
    (opened?.app ?? closed)(req, res),
  );
  server.on('upgrade', (req, socket, head) => {
    if (opened) opened.upgrade(req, socket, head);
    else socket.destroy();
  });
  await listen(server, config);
  resources.defer(() => close(server));
  resources.defer(() => opened?.drain());
  if (!opened) {
    const stopping = new AbortController();
    const later = openLater(attempt, logger, stopping.signal).then((gateway) => {
      opened = gateway;
    });
    resources.defer(async () => {
      stopping.abort();
      await later;
    });
  }
  const { port } = server.address() as AddressInfo;
  logger.info({ port, url: config.publicUrl, did: config.appViewDid }, 'gateway listens');
  const owned = resources.move();
  return { port, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function orLater(error: unknown): undefined {
  if (!(error instanceof DatabaseAwayError)) throw error;
}

/** Undefined when it was stopped before. */
async function openLater(
  attempt: () => Promise<OpenGateway>,
  logger: Logger,
  signal: AbortSignal,
): Promise<OpenGateway | undefined> {
  for (let delay = FIRST_RETRY_MS; !signal.aborted; delay = Math.min(2 * delay, MAX_RETRY_MS)) {
    logger.warn({ retryInMs: delay }, 'the database cannot be asked');
    await pause(delay, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return undefined;
    try {
      const gateway = await attempt();
      logger.info('the database can be asked');
      return gateway;
    } catch (error) {
      if (!(error instanceof DatabaseAwayError)) logger.error({ error }, 'the gateway cannot open');
    }
  }
  return undefined;
}

async function listen(server: Server, { port, devMode }: GatewayConfig): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, listenHost(devMode), resolve);
  });
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const impatience = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(impatience);
}
