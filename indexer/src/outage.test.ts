import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPrismaClient, startEmbeddedPostgres } from '@stratos/prisma';
import { createTestDatabase } from '@stratos/prisma/testing';
import { buildEnrollmentRecord, enrollmentRkey, signAttestation } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Author } from './testing/author.ts';
import { IndexerProcess } from './testing/indexer-process.ts';
import { LyingNode } from './testing/lying-node.ts';
import { PublicPds } from './testing/public-pds.ts';

const WAIT = { timeout: 40_000, interval: 100 };

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
  node.commit(await author.genesis());
  await node.membership(author, ['art']);
});
afterEach(async () => {
  await opened.disposeAsync();
});

async function startIndexer(databaseUrl: string): Promise<IndexerProcess> {
  return opened.use(
    await IndexerProcess.start({
      DATABASE_URL: databaseUrl,
      APPVIEW_DID: 'did:web:localhost%3A4000',
      APPVIEW_KEY_FILE: join(folder, 'appview.key'),
      INDEXER_FIREHOSE_URL: pds.url,
      INDEXER_PORT: '0',
      STRATOS_DEV_MODE: 'true',
    }),
  );
}

async function enroll(boundaryName = 'art'): Promise<void> {
  const boundaries = [node.boundary(boundaryName)];
  const signingKey = author.key.did();
  const attestation = await signAttestation({ did: author.did, boundaries, signingKey }, node.key);
  const record = { service: node.url, boundaries, signingKey, attestation, createdAt: new Date() };
  const { $nsid } = zone.stratos.actor.enrollment;
  await pds.put($nsid, enrollmentRkey(node.did), buildEnrollmentRecord(record));
}

async function post(rkey: string): Promise<void> {
  node.commit(await author.post(rkey, [node.boundary('art')]));
  await node.flush();
}

function reader(databaseUrl: string) {
  const db = createPrismaClient(databaseUrl, { poolSize: 1 });
  opened.defer(() => db.$disconnect());
  return {
    db,
    posts: async () => {
      const rows = await db.postBoundary.findMany({ orderBy: { uri: 'asc' } });
      return rows.map(({ uri }) => uri.split('/').at(-1));
    },
    boundaries: async () => (await db.enrollment.findFirst())?.boundaries,
  };
}

const ready = async (indexer: IndexerProcess) => (await indexer.get('/ready')).status;

test('a Postgres that is away for a while costs nothing but the while', async () => {
  const dataDir = join(folder, 'postgres');
  const start = (port: number) => startEmbeddedPostgres({ dataDir, port, persistent: true });
  let postgres = await start(0);
  opened.defer(() => postgres[Symbol.asyncDispose]());
  await postgres.createDatabase('appview');
  const url = postgres.url('appview');
  const indexer = await startIndexer(url);
  const { posts, boundaries } = reader(url);
  await enroll();
  await post('3kaaa');
  await vi.waitFor(async () => expect(await posts()).toEqual(['3kaaa']), WAIT);

  await postgres[Symbol.asyncDispose]();
  await vi.waitFor(async () => expect(await ready(indexer)).toBe(503), WAIT);
  await post('3kbbb');
  await enroll('writers');
  await sleep(3_000);
  expect(indexer.isRunning).toBe(true);
  expect((await indexer.get('/health')).status).toBe(200);
  await post('3kccc');

  postgres = await start(postgres.port);
  await vi.waitFor(async () => expect(await posts()).toEqual(['3kaaa', '3kbbb', '3kccc']), WAIT);
  await vi.waitFor(
    async () => expect(await boundaries()).toEqual([node.boundary('writers')]),
    WAIT,
  );
  await vi.waitFor(async () => expect(await ready(indexer)).toBe(200), WAIT);
}, 120_000);

/** What Postgres says when its disk is full, on every write to what the sources bring. */
const FILL_DISK = [
  `create function disk_full() returns trigger language plpgsql as $$ begin
    raise exception 'could not extend file: No space left on device' using errcode = '53100';
  end $$`,
  ...['stratos_post', 'stratos_enrollment', 'stratos_membership', 'stratos_repo'].map(
    (table) =>
      `create trigger full_disk before insert or update on ${table}
        for each statement execute function disk_full()`,
  ),
];

test('a full disk stops what is applied, loses nothing, and is forgotten when there is room', async () => {
  const { url } = opened.use(await createTestDatabase());
  const { db, posts, boundaries } = reader(url);
  const indexer = await startIndexer(url);
  await enroll();
  await post('3kaaa');
  await vi.waitFor(async () => expect(await posts()).toEqual(['3kaaa']), WAIT);

  for (const statement of FILL_DISK) await db.$executeRawUnsafe(statement);
  await post('3kbbb');
  await enroll('writers');
  await vi.waitFor(async () => expect(await ready(indexer)).toBe(503), WAIT);
  expect(await posts()).toEqual(['3kaaa']);
  expect(Number((await db.syncCursor.findFirst())?.seq)).toBe(1);
  expect(indexer.isRunning).toBe(true);

  await db.$executeRawUnsafe('drop function disk_full cascade');
  await vi.waitFor(async () => expect(await posts()).toEqual(['3kaaa', '3kbbb']), WAIT);
  await vi.waitFor(
    async () => expect(await boundaries()).toEqual([node.boundary('writers')]),
    WAIT,
  );
  await vi.waitFor(async () => expect(await ready(indexer)).toBe(200), WAIT);
  expect(await db.quarantined.count()).toBe(0);
}, 120_000);
