import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPrismaClient } from '@stratos/prisma';
import { createTestDatabase } from '@stratos/prisma/testing';
import { buildEnrollmentRecord, enrollmentRkey, signAttestation } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Database } from './database.ts';
import { Author } from './testing/author.ts';
import { IndexerProcess } from './testing/indexer-process.ts';
import { LyingNode } from './testing/lying-node.ts';
import { PublicPds } from './testing/public-pds.ts';

const NODES = 6;
/** Has each move of a membership log be noted, with what the writer found the claim to be. */
const NOTE_WHAT_IS_WRITTEN = [
  'create table written (did text, follow_epoch bigint)',
  `create function note() returns trigger language plpgsql as $$ begin
    insert into written values (new.did, new.follow_epoch);
    return new;
  end $$`,
  `create trigger note after update on stratos_node for each row
    when (old.membership_seq <> new.membership_seq) execute function note()`,
];
/** What may pass until all that a killed indexer followed is followed again. */
const WITHIN = { timeout: 15_000, interval: 100 };
const WAIT = { timeout: 30_000, interval: 100 };

interface Status {
  firehose: { cursor: number } | null;
  nodes: Record<string, unknown>;
}

let opened: AsyncDisposableStack;
let db: Database;
let pds: PublicPds;
let author: Author;
let nodes: LyingNode[];
let env: Record<string, string>;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  db = createPrismaClient(url, { poolSize: 4 });
  opened.defer(() => db.$disconnect());
  const folder = await mkdtemp(join(tmpdir(), 'stratos-indexer-'));
  opened.defer(() => rm(folder, { recursive: true }));
  pds = opened.use(await PublicPds.start());
  author = await Author.create(pds.did);
  nodes = [];
  for (let i = 0; i < NODES; i++) {
    const node = opened.use(await LyingNode.start());
    node.commit(await author.genesis());
    await node.membership(author, ['art']);
    nodes.push(node);
    await enrollAt(node);
  }
  env = {
    DATABASE_URL: url,
    APPVIEW_DID: 'did:web:localhost%3A4000',
    APPVIEW_KEY_FILE: join(folder, 'appview.key'),
    INDEXER_FIREHOSE_URL: pds.url,
    INDEXER_PORT: '0',
    STRATOS_DEV_MODE: 'true',
  };
});
afterEach(async () => {
  await opened.disposeAsync();
});

async function enrollAt(node: LyingNode): Promise<void> {
  const boundaries = [node.boundary('art')];
  const signingKey = author.key.did();
  const attestation = await signAttestation({ did: author.did, boundaries, signingKey }, node.key);
  const record = { service: node.url, boundaries, signingKey, attestation, createdAt: new Date() };
  const { $nsid } = zone.stratos.actor.enrollment;
  await pds.put($nsid, enrollmentRkey(node.did), buildEnrollmentRecord(record));
}

async function start(): Promise<IndexerProcess> {
  return opened.use(await IndexerProcess.start(env));
}

const followedBy = async (indexer: IndexerProcess) =>
  Object.keys((await indexer.status<Status>()).nodes).length;

/** Both run, and each has its half. */
async function startTwo(): Promise<[IndexerProcess, IndexerProcess]> {
  const first = await start();
  await vi.waitFor(async () => expect(await followedBy(first)).toBe(NODES), WAIT);
  const second = await start();
  await vi.waitFor(async () => {
    expect(await Promise.all([first, second].map(followedBy))).toEqual([NODES / 2, NODES / 2]);
  }, WAIT);
  return [first, second];
}

/** Something new on the firehose and at each node. */
async function goOn(): Promise<void> {
  pds.emitAccount(true);
  for (const node of nodes) {
    await node.membership(author, ['art', 'writers']);
    await node.flush();
  }
}

async function everythingIsApplied(): Promise<void> {
  const rows = await db.membership.findMany();
  const applied = new Map(rows.map(({ nodeDid, seq }) => [nodeDid, Number(seq)]));
  for (const { did, log } of nodes) expect(applied.get(did)).toBe(log?.seq);
}

test('two share the nodes, and one that stops leaves all to the other at once', async () => {
  const [first, second] = await startTwo();
  const { firehose } = await first.status<Status>();
  expect(firehose).not.toBeNull();
  expect((await second.status<Status>()).firehose).toBeNull();
  expect((await second.get('/ready')).status).toBe(200);
  expect(await first.stop('SIGTERM')).toBe(0);
  await goOn();
  await vi.waitFor(everythingIsApplied, WAIT);
  expect(await followedBy(second)).toBe(NODES);
  await vi.waitFor(async () => {
    expect((await second.status<Status>()).firehose?.cursor).toBe(pds.position);
  }, WAIT);
}, 120_000);

test('what a killed one followed is followed by the other', async () => {
  const [first, second] = await startTwo();
  await first.stop('SIGKILL');
  await goOn();
  await vi.waitFor(async () => {
    await everythingIsApplied();
    expect((await second.status<Status>()).firehose?.cursor).toBe(pds.position);
  }, WITHIN);
  expect(await followedBy(second)).toBe(NODES);
}, 120_000);

test('one that was stopped and goes on later writes nothing any more', async () => {
  const [first, second] = await startTwo();
  const [mine] = Object.keys((await first.status<Status>()).nodes);
  const node = nodes.find(({ did }) => did === mine);
  if (!node) throw new Error('the first follows nothing');
  first.signal('SIGSTOP');
  await vi.waitFor(async () => expect(await followedBy(second)).toBe(NODES), WAIT);
  await goOn();
  await vi.waitFor(everythingIsApplied, WAIT);

  // What the node says next reaches the connection of the first alone.
  const { followEpoch } = await db.node.findUniqueOrThrow({ where: { did: node.did } });
  for (const statement of NOTE_WHAT_IS_WRITTEN) await db.$executeRawUnsafe(statement);
  await node.membership(author, ['art']);
  await node.flushOldest();
  first.signal('SIGCONT');
  await sleep(5_000);
  const written = await db.$queryRaw<{ did: string; follow_epoch: bigint }[]>`
    select did, follow_epoch from written`;
  const asBefore = written.filter(({ follow_epoch: epoch }) => epoch <= followEpoch);
  expect(asBefore).toEqual([]);
  await node.flush();
  await vi.waitFor(everythingIsApplied, WAIT);
  await vi.waitFor(async () => {
    expect(await Promise.all([first, second].map(followedBy))).toEqual([NODES / 2, NODES / 2]);
  }, WAIT);
}, 120_000);
