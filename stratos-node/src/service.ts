import {
  createGuardedFetch,
  createIdentityResolver,
  type IdentityResolver,
} from '@stratos/protocol';
import { listenHost } from '@stratos/protocol/environment';
import { noTracer, type Tracing } from '@stratos/protocol/telemetry';
import { recogniseCallers } from './auth/callers.ts';
import { beginBackground, publishWhatIsLeft } from './background.ts';
import { BlobSweep } from './blobs/blob-sweep.ts';
import { openBlobStore } from './blobs/open-blob-store.ts';
import type { NodeConfig } from './config.ts';
import type { NodeContext } from './context.ts';
import { AllowList, MAX_ALLOW_LIST_BYTES } from './enrollment/allow-list.ts';
import { createOAuthClient } from './enrollment/oauth-client.ts';
import { createApp } from './http/app.ts';
import { HttpServer } from './http/http-server.ts';
import { ActorKeys } from './keys/actor-keys.ts';
import { openDataFolder, openKeys } from './keys/open-keys.ts';
import { createLogger, type Logger } from './logger.ts';
import { type EndPdsSession, endOAuthSession } from './outbox/end-session.ts';
import { type FindPdsSession, oauthSessions } from './outbox/oauth-sessions.ts';
import { OutboxWorker } from './outbox/outbox-worker.ts';
import { createRunJob } from './outbox/run-job.ts';
import { loadRecordLexicons } from './records/record-lexicons.ts';
import { openStorage } from './storage/open-storage.ts';
import { ActorSignals } from './stream/actor-signals.ts';
import { OpenStreams } from './stream/open-streams.ts';
import { Publisher } from './stream/publisher.ts';
import type { StreamLimits } from './stream/stream-limits.ts';
import { StreamSignal } from './stream/stream-signal.ts';
import { NodeMetrics } from './telemetry/metrics.ts';
import { observeNode } from './telemetry/node-gauges.ts';
import { observedActors, observedJobs, observedSessions } from './telemetry/observed.ts';
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

/**
 * Opens what a node is made of, publishes what a crash left behind, and listens. It closes in the
 * opposite order: says that it stops, ends what runs by itself, lets open requests finish, then what
 * they wrote be published and sent, and closes the storage last.
 */
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

  await openDataFolder(config.dataDir, logger);
  const storage = opened.use(await openStorage(config, logger));
  const { locks } = storage;
  const actors = observedActors(storage.actors, tracer);
  const keys = opened.use(await openKeys({ config, stored: storage.service, logger, tracer }));
  const { nodeKeys, service } = keys;
  const blobs = opened.use(await openBlobStore(config));

  const oauth = await createOAuthClient(config, service.oauth);
  const findSession = observedSessions(parts.findPdsSession ?? oauthSessions(oauth), tracer);
  const endSession = parts.endPdsSession ?? endOAuthSession(oauth, service.oauth);
  const runJob = createRunJob({ config, nodeKeys, service, findSession, endSession });
  const outbox = new OutboxWorker({ service, logger, run: observedJobs(runJob, metrics, tracer) });
  const signal = new StreamSignal();
  const publisher = new Publisher({ actors, service, signal, onJobs: () => outbox.wake() });
  opened.defer(() => publisher.close());
  opened.use(outbox);
  opened.defer(() => locks.idle());
  const blobSweep = opened.use(new BlobSweep({ actors, blobs, locks, logger }));

  const shared = await openSharedMemory(config, logger);
  if (shared) opened.use(shared);
  const allowList = opened.use(
    new AllowList({
      uri: config.enrollment.allowListUri,
      shared: shared?.allowList,
      fetch: createGuardedFetch({ ...config, maxBytes: MAX_ALLOW_LIST_BYTES }),
      logger,
    }),
  );
  const identity = parts.identity ?? createIdentityResolver(config);
  const stop = new AbortController();
  const { signal: stopping } = stop;
  const ctx: NodeContext = {
    config,
    logger,
    metrics,
    tracer,
    recordLexicons,
    actors,
    service,
    blobs,
    blobSweep,
    locks,
    publisher,
    signal,
    outbox,
    allowList,
    identity,
    nodeKeys,
    stopping,
    ...recogniseCallers({ config, identity, logger, metrics, nodeKeys, service, shared }),
    get nodeKey() {
      return nodeKeys.current;
    },
    actorKeys: new ActorKeys(keys.vault, config.storage.backend === 'postgres'),
    actorSignals: new ActorSignals({ events: service.events, signal, stopping, logger }),
    openStreams: new OpenStreams(parts.streamLimits),
  };
  observeNode(metrics, ctx);
  opened.use(await publishWhatIsLeft(ctx, storage));
  const app = createApp(ctx, oauth);
  const http = opened.use(await HttpServer.listen(app, config.port, listenHost(config.devMode)));
  opened.use(beginBackground(ctx, { storage, keys }));
  opened.defer(() => stop.abort());

  const { port } = http;
  logger.info({ did: config.serviceDid, port, url: config.publicUrl }, 'the node is listening');
  const owned = opened.move();
  return { ctx, port, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
