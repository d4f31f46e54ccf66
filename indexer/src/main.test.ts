import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrismaClient } from '@stratos/prisma';
import { createTestDatabase } from '@stratos/prisma/testing';
import {
  buildEnrollmentRecord,
  enrollmentRkey,
  SigningKey,
  signAttestation,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Database } from './database.ts';
import { Author } from './testing/author.ts';
import { IndexerProcess } from './testing/indexer-process.ts';
import { LyingNode } from './testing/lying-node.ts';
import { PublicPds } from './testing/public-pds.ts';

const ENROLLMENT = zone.stratos.actor.enrollment.$nsid;

let opened: AsyncDisposableStack;
let db: Database;
let pds: PublicPds;
let node: LyingNode;
let author: Author;
let env: Record<string, string>;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase({ empty: true }));
  db = createPrismaClient(url, { poolSize: 2 });
  opened.defer(() => db.$disconnect());
  const folder = await mkdtemp(join(tmpdir(), 'stratos-indexer-'));
  opened.defer(() => rm(folder, { recursive: true }));
  pds = opened.use(await PublicPds.start());
  node = opened.use(await LyingNode.start());
  author = await Author.create(pds.did);
  env = {
    DATABASE_URL: url,
    APPVIEW_DID: 'did:web:localhost%3A4000',
    APPVIEW_KEY_FILE: join(folder, 'appview.key'),
    INDEXER_FIREHOSE_URL: pds.url,
    INDEXER_NAME: 'test',
    INDEXER_PORT: '0',
    STRATOS_DEV_MODE: 'true',
  };
});
afterEach(async () => {
  await opened.disposeAsync();
});

test('finds the node behind an enrollment, follows it, and serves what is proven', async () => {
  await using indexer = await start();
  await enroll();
  await publish('3kaaa');
  await vi.waitFor(async () => expect(await readable()).toEqual(['3kaaa']), WAIT);
  await vi.waitFor(async () => expect(await lease()).toBeGreaterThan(Date.now()), WAIT);
  expect((await indexer.get('/ready')).status).toBe(200);
  const status = await indexer.status<Status>();
  expect(status.firehose).toMatchObject({ connected: true, cursor: 1 });
  expect(status.resyncs).toBe(0);
  expect(status.nodes[node.did]).toEqual({
    ...{ state: 'following', connected: true, cursor: 3, newest: 3, lag: 0, refused: 0 },
    breaker: 'closed',
    rate: expect.any(Number),
    errors: expect.any(Number),
  });

  const token = node.connections[0]?.authorization?.replace('Bearer ', '') ?? '';
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  expect(claims).toMatchObject({
    iss: env['APPVIEW_DID'],
    aud: node.did,
    lxm: zone.stratos.sync.subscribeService.$nsid,
  });
  expect((await stat(env['APPVIEW_KEY_FILE'] ?? '')).mode & 0o077).toBe(0);

  await pds.delete(ENROLLMENT, enrollmentRkey(node.did));
  await vi.waitFor(async () => expect(await readable()).toEqual([]), WAIT);
  await node.flush();
  expect(await indexer.stop('SIGTERM')).toBe(0);
});

test('killed in the middle and started again, it loses nothing and doubles nothing', async () => {
  await enroll();
  await publish('3k000');
  const expected = ['3k000'];
  for (let round = 1; round <= 4; round++) {
    await using indexer = await start();
    for (let i = 0; i < 12; i++) {
      const rkey = `3k${round}${String(i).padStart(2, '0')}`;
      node.commit(await author.post(rkey, [node.boundary('art')]));
      expected.push(rkey);
      void node.flush();
    }
    const seen = (round - 1) * 12 + round * 2;
    await vi.waitFor(async () => expect(await db.post.count()).toBeGreaterThan(seen), WAIT);
    await indexer.stop('SIGKILL');
  }
  await using _indexer = await start();
  await vi.waitFor(async () => expect(await readable()).toEqual(expected), WAIT);
  expect(await db.post.count()).toBe(expected.length);
  expect(await db.quarantined.count()).toBe(0);
}, 60_000);

test('takes up a node again that was away, and one that was not there yet', async () => {
  const port = Number(new URL(node.url).port);
  await enroll();
  await node[Symbol.asyncDispose]();
  await using _indexer = await start();
  await vi.waitFor(async () => expect(await db.enrollment.count()).toBe(1), WAIT);
  expect((await db.enrollment.findFirstOrThrow()).nodeDid).toBeNull();

  node = opened.use(await LyingNode.start(port));
  await publish('3kaaa');
  await vi.waitFor(async () => expect(await readable()).toEqual(['3kaaa']), WAIT);
  node.cut();
  node.commit(await author.post('3kbbb', [node.boundary('art')]));
  await vi.waitFor(async () => expect(await readable()).toEqual(['3kaaa', '3kbbb']), WAIT);
  expect(node.connections.at(-1)?.cursor).toBe(3);
});

test('does not follow a node that another address names as its own', async () => {
  const thief = opened.use(await LyingNode.start());
  thief.document = node.document;
  await using _indexer = await start();
  await enroll({ service: thief.url });
  await vi.waitFor(async () => expect(await db.enrollment.count()).toBe(1), WAIT);
  expect(await db.node.count()).toBe(0);
  await enroll();
  await vi.waitFor(async () => expect(await db.node.count()).toBe(1), WAIT);
  expect(thief.connections).toEqual([]);
});

test('takes nothing more from a node that breaks its log, until the log is whole again', async () => {
  await using indexer = await start();
  await enroll();
  await publish('3kaaa');
  await vi.waitFor(async () => expect(await lease()).toBeGreaterThan(0), WAIT);

  const { log } = node;
  await node.membership(author, [], { signedBy: SigningKey.generate('secp256k1') });
  node.log = log;
  const commit = await author.post('3kbbb', [node.boundary('art')]);
  node.commit(commit);
  await node.flush();
  await vi.waitFor(async () => expect(await db.quarantined.count()).toBe(1), WAIT);
  const before = await lease();
  const reconnects = node.connections.length;
  await vi.waitFor(() => expect(node.connections.length).toBeGreaterThan(reconnects + 1), WAIT);
  expect(await lease()).toBe(before);
  expect(await readable()).toEqual(['3kaaa']);
  expect((await indexer.status<Status>()).nodes[node.did]).toMatchObject({
    connected: false,
    cursor: 3,
  });

  node.events.splice(3);
  await node.membership(author, ['art', 'writers']);
  node.commit(commit);
  await vi.waitFor(async () => expect(await readable()).toEqual(['3kaaa', '3kbbb']), WAIT);
  await vi.waitFor(async () => expect(await lease()).toBeGreaterThan(before), WAIT);
});

test('refuses an enrollment that the account did not sign, and goes on', async () => {
  await using _indexer = await start();
  await enroll({ signedBy: SigningKey.generate('secp256k1') });
  await pds.put(zone.stratos.feed.post.$nsid, '3kaaa', { createdAt: new Date().toISOString() });
  await vi.waitFor(async () => expect(await firehoseCursor()).toBe(2), WAIT);
  expect(await db.enrollment.count()).toBe(0);
  expect(await db.quarantined.findMany()).toMatchObject([{ did: pds.did, reason: 'unproven' }]);
});

test('comes back to a person whose DID document cannot be had at the moment', async () => {
  pds.resolvable = false;
  await using _indexer = await start();
  await enroll();
  await vi.waitFor(async () => expect(await firehoseCursor()).toBe(1), WAIT);
  expect(await db.pdsResync.findMany()).toMatchObject([{ did: pds.did, reason: 'unresolved' }]);
  expect(await db.enrollment.count()).toBe(0);
  pds.resolvable = true;
  await vi.waitFor(async () => expect(await db.enrollment.count()).toBe(1), WAIT);
  expect(await db.pdsResync.count()).toBe(0);
  expect(await db.quarantined.count()).toBe(0);
});

test('does not wait for addresses that never answer', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  opened.defer(() => void silent.close());
  const held: Socket[] = [];
  silent.on('connection', (socket) => held.push(socket));
  opened.defer(() => held.forEach((socket) => void socket.destroy()));
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  await using _indexer = await start();
  for (let i = 0; i < 10; i++) {
    await enroll({ service: `http://localhost:${port}/${i}`, rkey: `${i}` });
  }
  await enroll();
  await publish('3kaaa');
  await vi.waitFor(async () => expect(await firehoseCursor()).toBe(11), WAIT);
  await vi.waitFor(async () => expect(await readable()).toEqual(['3kaaa']), WAIT);
  expect(held).toHaveLength(10);
  expect(held.every((socket) => !socket.closed)).toBe(true);
});

test('follows no node that the operator has denied, and lets its lease lapse', async () => {
  const stranger = opened.use(await LyingNode.start());
  await using first = await start();
  await enroll();
  await publish('3kaaa');
  await vi.waitFor(async () => expect(await lease()).toBeGreaterThan(Date.now()), WAIT);
  await first.stop('SIGTERM');
  const connections = node.connections.length;
  const leaseUntil = await lease();

  env['INDEXER_DENIED_NODES'] = `${node.did},${stranger.did}`;
  await using _second = await start();
  await enroll({ service: stranger.url, rkey: 'stranger' });
  await vi.waitFor(async () => expect(await firehoseCursor()).toBe(2), WAIT);
  const checked = async () => {
    const where = { serviceUrl: stranger.url };
    return (await db.enrollment.findFirstOrThrow({ where })).lastChecked;
  };
  const before = await checked();
  await vi.waitFor(async () => expect((await checked()) > before).toBe(true), WAIT);
  expect(await db.node.count()).toBe(1);
  expect(node.connections.length).toBe(connections);
  expect(await lease()).toBe(leaseUntil);
});

test('names the variable that is wrong', async () => {
  env['INDEXER_LEASE_SECONDS'] = 'soon';
  await expect(start()).rejects.toThrow(/INDEXER_LEASE_SECONDS/);
});

const WAIT = { timeout: 20_000, interval: 50 };

interface Status {
  firehose: { connected: boolean; cursor: number; lag: number };
  nodes: Record<string, unknown>;
  resyncs: number;
}

async function enroll(
  options: { service?: string; signedBy?: SigningKey; rkey?: string } = {},
): Promise<void> {
  const { service = node.url, signedBy, rkey = enrollmentRkey(node.did) } = options;
  const boundaries = [node.boundary('art')];
  const signingKey = author.key.did();
  const attestation = await signAttestation({ did: author.did, boundaries, signingKey }, node.key);
  const createdAt = new Date();
  const record = { service, boundaries, signingKey, attestation, createdAt };
  await pds.put(ENROLLMENT, rkey, buildEnrollmentRecord(record), signedBy);
}

/** A first post, after what makes a member. */
async function publish(rkey: string): Promise<void> {
  node.commit(await author.genesis());
  await node.membership(author, ['art']);
  node.commit(await author.post(rkey, [node.boundary('art')]));
  await node.flush();
}

async function readable(): Promise<string[]> {
  const rows = await db.postBoundary.findMany({ orderBy: { uri: 'asc' } });
  return rows.map(({ uri }) => uri.split('/').at(-1) ?? '');
}

async function lease(): Promise<number> {
  return (await db.node.findFirst())?.leaseUntil?.getTime() ?? 0;
}

async function firehoseCursor(): Promise<number> {
  return Number((await db.syncCursor.findFirst())?.seq ?? 0);
}

function start(): Promise<IndexerProcess> {
  return IndexerProcess.start(env);
}
