import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createGuardedFetch,
  createIdentityResolver,
  DpopNonces,
  DpopVerifier,
  type IdentityResolver,
  MemoryReplayStore,
  Sessions,
} from '@stratos/protocol';
import { listenHost } from '@stratos/protocol/environment';
import { createAuthenticator } from './auth/authenticator.ts';
import { OperatorGate } from './auth/operator-gate.ts';
import { BlobSweep } from './blobs/blob-sweep.ts';
import { openBlobStore } from './blobs/open-blob-store.ts';
import type { NodeConfig } from './config.ts';
import type { NodeContext } from './context.ts';
import { AllowList, MAX_ALLOW_LIST_BYTES } from './enrollment/allow-list.ts';
import { createOAuthClient } from './enrollment/oauth-client.ts';
import { ErasureTimer } from './erasure/erasure-timer.ts';
import { createApp } from './http/app.ts';
import { HttpServer } from './http/http-server.ts';
import { ActorKeys } from './keys/actor-keys.ts';
import { NodeKeyFile } from './keys/node-key-file.ts';
import { NodeKeys } from './keys/node-keys.ts';
import { NodeSecrets } from './keys/node-secrets.ts';
import { openVault } from './keys/open-vault.ts';
import { makePrivate } from './keys/private-files.ts';
import { republishEnrollments } from './keys/republish-enrollments.ts';
import { sealStoredSecrets } from './keys/seal-stored-secrets.ts';
import { withSealedSessions } from './keys/sealed-oauth-store.ts';
import { AddressLimit } from './limits/address-limit.ts';
import { createClientAddress } from './limits/client-address.ts';
import { createLogger, type Logger } from './logger.ts';
import { type EndPdsSession, endOAuthSession } from './outbox/end-session.ts';
import { type FindPdsSession, oauthSessions } from './outbox/oauth-sessions.ts';
import { OutboxWorker } from './outbox/outbox-worker.ts';
import { createRunJob } from './outbox/run-job.ts';
import { loadRecordLexicons } from './records/record-lexicons.ts';
import { WriteRateLimit } from './repo/write-rate-limit.ts';
import { Retention } from './retention/retention.ts';
import { openStorage } from './storage/open-storage.ts';
import { Announcements } from './storage/postgres/announcements.ts';
import { ActorSignals } from './stream/actor-signals.ts';
import { OpenStreams } from './stream/open-streams.ts';
import { Publisher } from './stream/publisher.ts';
import type { StreamLimits } from './stream/stream-limits.ts';
import { StreamSignal } from './stream/stream-signal.ts';
import { Tickets } from './stream/tickets.ts';
import { NodeMetrics } from './telemetry/metrics.ts';
import { observeNode } from './telemetry/node-gauges.ts';
import {
  observedActors,
  observedJobs,
  observedReplay,
  observedService,
  observedSessions,
} from './telemetry/observed.ts';
import { noTracer } from './telemetry/tracer.ts';
import type { Tracing } from './telemetry/tracing.ts';
import { openSharedMemory } from './valkey/shared-memory.ts';

/** Parts that can be replaced, in tests or by whoever embeds a node. */
export interface NodeServiceParts {
  identity?: IdentityResolver;
  logger?: Logger;
  /** Closed with the node. */
  tracing?: Tracing;
  findPdsSession?: FindPdsSession;
  endPdsSession?: EndPdsSession;
  streamLimits?: Partial<StreamLimits>;
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
  const metrics = new NodeMetrics();
  const tracer = parts.tracing?.tracer ?? noTracer;
  if (parts.tracing) opened.use(parts.tracing);
  const recordLexicons = await loadRecordLexicons(config.lexiconDir);
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const clientAddress = createClientAddress(config.trustedProxies);
  const keyFile = join(config.dataDir, 'signing_key');
  await makePrivate([config.dataDir, keyFile, join(config.dataDir, 'service.sqlite')], logger);
  const storage = opened.use(await openStorage(config, logger));
  const vault = await openVault(config.keys, storage.service.vault);
  if (!vault.isEncrypting)
    logger.warn('keys are not encrypted: STRATOS_KEY_ENCRYPTION_KEY is unset');
  const service = observedService(withSealedSessions(storage.service, vault), tracer);
  const nodeKeys = opened.use(
    await NodeKeys.open({
      did: config.serviceDid,
      service,
      vault,
      file: new NodeKeyFile(keyFile, vault),
      signingKeyHex: config.keys.signingKeyHex,
      logger,
    }),
  );
  const actors = observedActors(storage.actors, tracer);
  const blobs = opened.use(await openBlobStore(config));
  const identity = parts.identity ?? createIdentityResolver(config);
  const oauth = await createOAuthClient(config, service.oauth);
  const findSession = observedSessions(parts.findPdsSession ?? oauthSessions(oauth), tracer);
  const endSession = parts.endPdsSession ?? endOAuthSession(oauth, service.oauth);
  const signal = new StreamSignal();
  const { locks, session } = storage;
  const outbox = new OutboxWorker({
    service,
    logger,
    run: observedJobs(
      createRunJob({ config, nodeKeys, service, findSession, endSession }),
      metrics,
      tracer,
    ),
  });
  const publisher = new Publisher({ actors, service, signal, onJobs: () => outbox.wake() });
  opened.defer(() => publisher.close());
  opened.use(outbox);
  opened.defer(() => locks.idle());
  const blobSweep = opened.use(new BlobSweep({ actors, blobs, locks, logger }));
  const shared = await openSharedMemory(config, logger);
  if (shared) opened.use(shared);
  const replayStore = shared?.replay ?? service.replay;
  const allowList = opened.use(
    new AllowList({
      uri: config.enrollment.allowListUri,
      shared: shared?.allowList,
      fetch: createGuardedFetch({ ...config, maxBytes: MAX_ALLOW_LIST_BYTES }),
      logger,
    }),
  );
  // @NOTE with one process and nonces of its own, no used proof needs to be remembered on disk
  const isReplayMemoryOurs = config.storage.backend === 'sqlite' && config.dpopRequireNonce;
  const secrets = new NodeSecrets(() => nodeKeys.current, { isReplayMemoryOurs });
  const nonces = new DpopNonces(() => secrets.nonce);
  const addressLimit = new AddressLimit(config.ipRate, shared?.rates);
  const stopping = new AbortController();
  const ctx: NodeContext = {
    config,
    logger,
    metrics,
    tracer,
    identity,
    get nodeKey() {
      return nodeKeys.current;
    },
    nodeKeys,
    actorKeys: new ActorKeys(vault, config.storage.backend === 'postgres'),
    actors,
    service,
    blobs,
    blobSweep,
    locks,
    publisher,
    signal,
    actorSignals: new ActorSignals({
      events: service.events,
      signal,
      stopping: stopping.signal,
      logger,
    }),
    openStreams: new OpenStreams(parts.streamLimits),
    tickets: new Tickets({ nodeKeys, replayStore }),
    outbox,
    writeRate: shared?.writes ?? new WriteRateLimit(config.writeRate),
    recordLexicons,
    authenticator: createAuthenticator({
      ...config,
      identity,
      replayStore: observedReplay(replayStore, metrics),
      sessions: new Sessions(() => secrets.session, config.serviceDid),
      dpop: new DpopVerifier({
        nonces,
        replayStore: observedReplay(
          isReplayMemoryOurs ? new MemoryReplayStore() : replayStore,
          metrics,
        ),
        requireNonce: config.dpopRequireNonce,
      }),
      nonces,
      clientAddress,
      addressLimit,
    }),
    operatorGate: new OperatorGate({
      password: config.adminPassword,
      audit: service.audit,
      clientAddress,
      ...(shared && { counter: shared.rates }),
    }),
    clientAddress,
    addressLimit,
    allowList,
    stopping: stopping.signal,
  };
  observeNode(metrics, ctx);
  for (const did of await service.publications.dirtyActors()) blobSweep.add(did);
  const recovered = await publisher.recover();
  if (recovered > 0)
    logger.warn({ actors: recovered }, 'looked for unpublished commits after a crash');
  if (session) {
    const takeOver = async () => {
      for (const did of await service.publications.dirtyActors()) blobSweep.add(did);
      await publisher.recover();
      publisher.announce();
    };
    opened.use(await Announcements.open({ session, signal, logger, takeOver }));
  }
  const http = opened.use(
    await HttpServer.listen(createApp(ctx, oauth), config.port, listenHost(config.devMode)),
  );
  const background: Promise<void>[] = [];
  opened.defer(async () => void (await Promise.all(background)));
  opened.use(new ErasureTimer(ctx));
  outbox.start();
  background.push(republishEnrollments(ctx));
  background.push(sealStoredSecrets({ ...ctx, vault, stored: storage.service }));
  opened.use(new Retention(ctx));
  blobSweep.start();
  opened.defer(() => stopping.abort());
  logger.info(
    { did: config.serviceDid, port: http.port, url: config.publicUrl },
    'the node is listening',
  );
  const owned = opened.move();
  return { ctx, port: http.port, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
