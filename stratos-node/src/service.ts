import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createGuardedFetch,
  createIdentityResolver,
  type IdentityResolver,
  loadOrCreateSigningKey,
} from '@stratos/protocol';
import { listenHost } from '@stratos/protocol/environment';
import { createAuthenticator } from './auth/authenticator.ts';
import { OperatorGate } from './auth/operator-gate.ts';
import type { NodeConfig } from './config.ts';
import type { NodeContext } from './context.ts';
import { AllowList, MAX_ALLOW_LIST_BYTES } from './enrollment/allow-list.ts';
import { createOAuthClient } from './enrollment/oauth-client.ts';
import { createApp } from './http/app.ts';
import { HttpServer } from './http/http-server.ts';
import { ActorKeys } from './keys/actor-keys.ts';
import { createLogger, type Logger } from './logger.ts';
import { type EndPdsSession, endOAuthSession } from './outbox/end-session.ts';
import { type FindPdsSession, oauthSessions } from './outbox/oauth-sessions.ts';
import { OutboxWorker } from './outbox/outbox-worker.ts';
import { createRunJob } from './outbox/run-job.ts';
import { loadRecordLexicons } from './records/record-lexicons.ts';
import { ActorLocks } from './repo/actor-locks.ts';
import { WriteRateLimit } from './repo/write-rate-limit.ts';
import { SqliteActorStorage } from './storage/sqlite/actor-storage.ts';
import { openServiceStorage } from './storage/sqlite/service-storage.ts';
import { Publisher } from './stream/publisher.ts';
import { StreamSignal } from './stream/stream-signal.ts';

/** Parts that can be replaced, in tests or by whoever embeds a node. */
export interface NodeServiceParts {
  identity?: IdentityResolver;
  logger?: Logger;
  findPdsSession?: FindPdsSession;
  endPdsSession?: EndPdsSession;
}

/** A running node. Disposing of it stops it in order; nothing that it acknowledged is lost. */
export interface NodeService extends AsyncDisposable {
  readonly ctx: NodeContext;
  /** The port that it listens on. */
  readonly port: number;
}

/** Opens the storage, publishes what a crash left behind, and listens. */
export async function startNode(
  config: NodeConfig,
  parts: NodeServiceParts = {},
): Promise<NodeService> {
  await using opened = new AsyncDisposableStack();
  const logger = parts.logger ?? createLogger(config.logLevel);
  const recordLexicons = await loadRecordLexicons(config.lexiconDir);
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const nodeKey = await loadOrCreateSigningKey(join(config.dataDir, 'signing_key'), 'secp256k1');
  const service = opened.use(await openServiceStorage(config.dataDir));
  const actors = opened.use(new SqliteActorStorage(config.dataDir, config.serviceDid));
  const identity = parts.identity ?? createIdentityResolver(config);
  const oauth = createOAuthClient(config, service.oauth);
  const findSession = parts.findPdsSession ?? oauthSessions(oauth);
  const endSession = parts.endPdsSession ?? endOAuthSession(oauth, service.oauth);
  const signal = new StreamSignal();
  const locks = new ActorLocks();
  const outbox = new OutboxWorker({
    service,
    logger,
    run: createRunJob({ config, nodeKey, service, findSession, endSession }),
  });
  const publisher = new Publisher({ actors, service, signal, onJobs: () => outbox.wake() });
  opened.defer(() => publisher.close());
  opened.use(outbox);
  opened.defer(() => locks.idle());
  const allowList = opened.use(
    new AllowList({
      uri: config.enrollment.allowListUri,
      fetch: createGuardedFetch({ ...config, maxBytes: MAX_ALLOW_LIST_BYTES }),
      logger,
    }),
  );
  const stopping = new AbortController();
  const ctx: NodeContext = {
    config,
    logger,
    identity,
    nodeKey,
    actorKeys: new ActorKeys(),
    actors,
    service,
    locks,
    publisher,
    signal,
    outbox,
    writeRate: new WriteRateLimit(config.writeRate),
    recordLexicons,
    authenticator: createAuthenticator({ ...config, identity, replayStore: service.replay }),
    operatorGate: new OperatorGate({ password: config.adminPassword, audit: service.audit }),
    allowList,
    stopping: stopping.signal,
  };
  const recovered = await publisher.recover();
  if (recovered > 0)
    logger.warn({ actors: recovered }, 'looked for unpublished commits after a crash');
  const http = opened.use(
    await HttpServer.listen(createApp(ctx, oauth), config.port, listenHost(config.devMode)),
  );
  opened.defer(() => stopping.abort());
  outbox.start();
  logger.info(
    { did: config.serviceDid, port: http.port, url: config.publicUrl },
    'the node is listening',
  );
  const owned = opened.move();
  return { ctx, port: http.port, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
