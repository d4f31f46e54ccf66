import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { createPrismaClient, startEmbeddedPostgres } from '@stratos/prisma';
import { createTestDatabase } from '@stratos/prisma/testing';
import { buildEnrollmentRecord, enrollmentRkey, signAttestation } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { StatusReport } from '../health/watch.ts';
import { Author } from '../testing/author.ts';
import { IndexerProcess } from '../testing/indexer-process.ts';
import { LyingNode } from '../testing/lying-node.ts';
import { PublicPds } from '../testing/public-pds.ts';

const WAIT = { timeout: 40_000, interval: 100 };
const STOP_WITHIN_MS = 10_000;

let opened: AsyncDisposableStack;
let pds: PublicPds;
let node: LyingNode;
let author: Author;
let folder: string;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  folder = await mkdtemp(join(tmpdir(), 'stratos-indexer-'));
  opened.defer(() => rm(folder, { recursive: true }));
  pds = opened.use(await PublicPds.start());
  node = opened.use(await LyingNode.start());
  author = await Author.create(pds.did);
  await enroll();
  await node.membership(author, ['art']);
  node.commit(await author.genesis());
});
afterEach(() => opened.disposeAsync());

async function enroll(): Promise<void> {
  const boundaries = [node.boundary('art')];
  const signingKey = author.key.did();
  const attestation = await signAttestation({ did: author.did, boundaries, signingKey }, node.key);
  const record = { service: node.url, boundaries, signingKey, attestation, createdAt: new Date() };
  const { $nsid } = zone.stratos.actor.enrollment;
  await pds.put($nsid, enrollmentRkey(node.did), buildEnrollmentRecord(record));
}

async function startIndexer(
  databaseUrl: string,
  env: Record<string, string> = {},
): Promise<IndexerProcess> {
  return opened.use(
    await IndexerProcess.start({
      DATABASE_URL: databaseUrl,
      APPVIEW_DID: 'did:web:localhost%3A4000',
      APPVIEW_KEY_FILE: join(folder, 'appview.key'),
      INDEXER_FIREHOSE_URL: pds.url,
      INDEXER_PORT: '0',
      STRATOS_DEV_MODE: 'true',
      ...env,
    }),
  );
}

async function testDatabase(): Promise<string> {
  return opened.use(await createTestDatabase()).url;
}

const seen = (indexer: IndexerProcess) =>
  vi.waitFor(async () => {
    const { nodes } = await indexer.status<StatusReport>();
    expect(nodes[node.did]).toMatchObject({ connected: true, cursor: node.position });
  }, WAIT);

/** Whether it ended in order, and in the time that operators are promised. */
async function stopsInTime(indexer: IndexerProcess): Promise<void> {
  const late = AbortSignal.timeout(STOP_WITHIN_MS);
  expect(await indexer.stop('SIGTERM')).toBe(0);
  expect(late.aborted).toBe(false);
}

/** Takes spans as a collector does. */
async function collector() {
  const said: unknown[] = [];
  const server = createServer(async (request, response) => {
    said.push(await json(request));
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, said };
}

test('tells Prometheus and OpenTelemetry what it does, and nobody whose', async () => {
  const otlp = await collector();
  const indexer = await startIndexer(await testDatabase(), {
    OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url,
  });
  node.commit(await author.post('3kaaa', [node.boundary('art')], 'hidden words'));
  await seen(indexer);
  const status = await indexer.status<StatusReport>();
  expect(status.firehose).toMatchObject({ state: 'following', newest: 1 });
  expect(status.nodes[node.did]).toMatchObject({ state: 'following', newest: 3, lag: 0 });
  expect(status.fetched).toEqual({ done: 0, records: 0, recordsPerSecond: 0 });
  expect(status.queues).toMatchObject({ resyncs: 0, holds: 0, quarantined: 0 });

  const response = await indexer.get('/metrics');
  const metrics = await response.text();
  expect(metrics).toContain(`stratos_indexer_position{source="${node.did}"} 3`);
  expect(metrics).toMatch(/stratos_indexer_connected\{source="firehose"\} 1/);
  expect(metrics).toMatch(/stratos_indexer_batch_duration_seconds_count\{outcome="applied"\} \d/);
  expect(metrics).toMatch(/stratos_indexer_queue\{queue="quarantined"\} 0/);
  expect(metrics).toContain('process_resident_memory_bytes');

  await stopsInTime(indexer);
  const spans = JSON.stringify(otlp.said);
  expect(spans).toContain('stratos-indexer');
  expect(spans).toContain('node batch');
  expect(spans).toContain('public event');
  for (const text of [metrics, spans]) {
    expect(text).not.toContain(author.did);
    expect(text).not.toMatch(/hidden words|eyJ|Bearer/);
  }
});

test('stops in time while it waits for a repo that never comes', async () => {
  node.repos.set(author.did, () => new Promise(() => {}));
  await author.post('3kaaa', [node.boundary('art')]);
  node.commit(await author.post('3kbbb', [node.boundary('art')]));
  const indexer = await startIndexer(await testDatabase());
  await vi.waitFor(() => expect(node.repoRequests).toHaveLength(1), WAIT);
  await stopsInTime(indexer);
});

test('stops in time while Postgres is away', async () => {
  const postgres = opened.use(
    await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), port: 0, persistent: true }),
  );
  await postgres.createDatabase('appview');
  const indexer = await startIndexer(postgres.url('appview'));
  await seen(indexer);
  await postgres[Symbol.asyncDispose]();
  node.commit(await author.post('3kaaa', [node.boundary('art')]));
  await node.flush();
  await vi.waitFor(async () => expect((await indexer.get('/ready')).status).toBe(503), WAIT);
  await stopsInTime(indexer);
}, 120_000);

test('stops in time while a batch waits for a lock in the database', async () => {
  const url = await testDatabase();
  const indexer = await startIndexer(url);
  await seen(indexer);
  const db = createPrismaClient(url, { poolSize: 1 });
  opened.defer(() => db.$disconnect());
  const released = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const locking = db.$transaction(
    async (tx) => {
      await tx.$executeRaw`set local idle_in_transaction_session_timeout = 0`;
      await tx.$executeRaw`lock table stratos_node, stratos_post in access exclusive mode`;
      locked.resolve();
      await released.promise;
    },
    { timeout: 60_000 },
  );
  await locked.promise;
  node.commit(await author.post('3kaaa', [node.boundary('art')]));
  await node.flush();
  await stopsInTime(indexer);
  released.resolve();
  await locking;
}, 120_000);
