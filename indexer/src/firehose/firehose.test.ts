import { TID } from '@atproto/common-web';
import { createPrismaClient } from '@stratos/prisma';
import { createTestDatabase } from '@stratos/prisma/testing';
import {
  buildEnrollmentRecord,
  createIdentityResolver,
  type Did,
  enrollmentRkey,
  SigningKey,
  signAttestation,
  toBoundary,
  toDid,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Database } from '../database.ts';
import { Presence } from '../followers/presence.ts';
import { claimSource } from '../followers/source-claims.ts';
import { Turns } from '../followers/turns.ts';
import { createLogger } from '../logger.ts';
import { Shortage } from '../shortage.ts';
import { PublicPds } from '../testing/public-pds.ts';
import { Firehose } from './firehose.ts';

const ENROLLMENT = zone.stratos.actor.enrollment.$nsid;
const NODE = toDid('did:web:node.example');
const WAIT = { timeout: 60_000, interval: 50 };

let opened: AsyncDisposableStack;
let db: Database;
let relay: PublicPds;
let pds: PublicPds;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  db = createPrismaClient(url, { poolSize: 8 });
  opened.defer(() => db.$disconnect());
  relay = opened.use(await PublicPds.start());
  pds = await startPds();
});
afterEach(async () => {
  await opened.disposeAsync();
});

/** A PDS with one account, whose events the relay passes on. */
async function startPds(): Promise<PublicPds> {
  const started = opened.use(await PublicPds.start());
  started.relay = relay;
  return started;
}

async function follow(turns = new Turns(1)): Promise<Firehose> {
  const logger = createLogger('silent');
  const presence = opened.use(new Presence(db, logger));
  await presence.start();
  const url = relay.url.replace(/^http/, 'ws');
  const claim = await claimSource(db, presence.id, url);
  if (!claim) throw new Error('somebody else follows it');
  const identity = createIdentityResolver({ plcUrl: 'http://localhost:1', devMode: true });
  const firehose = opened.use(
    new Firehose({
      ...claim,
      db,
      identity,
      url,
      plcUrl: 'http://localhost:1',
      maxReconnectMs: 200,
      shortage: new Shortage(1_000),
      turns,
      logger,
      lookups: { knownNode: () => NODE, findNode: () => {}, findHandle: () => {} },
    }),
  );
  firehose.start();
  return firehose;
}

async function enroll(at: PublicPds, options: { signedBy?: SigningKey; node?: Did } = {}) {
  const boundaries = [toBoundary(`${NODE}/art`)];
  const { signedBy, node = NODE } = options;
  const signingKey = SigningKey.generate('P-256').did();
  const key = SigningKey.generate('secp256k1');
  const attestation = await signAttestation({ did: at.did, boundaries, signingKey }, key);
  const service = 'https://node.example';
  const record = { service, boundaries, signingKey, attestation, createdAt: new Date() };
  await at.put(ENROLLMENT, enrollmentRkey(node), buildEnrollmentRecord(record), signedBy);
}

const enrolled = async () =>
  (await db.enrollment.findMany({ orderBy: { did: 'asc' } })).map(({ did }) => did);

async function settled(firehose: Firehose): Promise<void> {
  await vi.waitFor(async () => {
    expect(await firehose.status()).toMatchObject({ lag: 0 });
    expect((await firehose.status()).cursor).toBe(relay.position);
  }, WAIT);
}

test('people who cannot be looked up hold up nobody, and are not forgotten', async () => {
  const firehose = await follow();
  pds.resolvable = false;
  await enroll(pds);
  for (let i = 0; i < 200; i++) {
    const did = `did:web:localhost%3A1:${i}`;
    relay.emit('#commit', { ...pds.lastCommit, repo: did });
  }
  const other = await startPds();
  await enroll(other);
  await settled(firehose);
  expect(await enrolled()).toEqual([other.did]);
  expect(await db.pdsResync.count({ where: { did: pds.did } })).toBe(1);
  pds.resolvable = true;
  await db.pdsResync.updateMany({ where: { did: pds.did }, data: { dueAt: new Date() } });
  await vi.waitFor(async () => expect(await enrolled()).toContain(pds.did), WAIT);
});

test('a repo that is replaced is read anew, with what was left out and what is gone', async () => {
  await enroll(pds);
  await enroll(pds, { node: toDid('did:web:other.example') });
  const firehose = await follow();
  await vi.waitFor(async () => expect(await db.enrollment.count()).toBe(2), WAIT);
  pds.relay = undefined;
  await pds.delete(ENROLLMENT, enrollmentRkey(NODE));
  await enroll(pds, { node: toDid('did:web:third.example') });
  pds.relay = relay;
  await pds.emitSync();
  await settled(firehose);
  await vi.waitFor(async () => {
    const rows = await db.enrollment.findMany({ orderBy: { rkey: 'asc' } });
    expect(rows.map(({ rkey }) => rkey)).toEqual([
      'did:web:other.example',
      'did:web:third.example',
    ]);
  }, WAIT);
  await vi.waitFor(async () => expect(await db.pdsResync.count()).toBe(0), WAIT);
});

test('what a PDS lists counts only as far as the account has signed it', async () => {
  const firehose = await follow();
  pds.relay = undefined;
  await enroll(pds, { signedBy: SigningKey.generate('secp256k1') });
  pds.relay = relay;
  await pds.emitSync();
  await settled(firehose);
  await vi.waitFor(async () => {
    expect(await db.pdsResync.findMany()).toMatchObject([{ did: pds.did, failures: 1 }]);
  }, WAIT);
  expect(await enrolled()).toEqual([]);
});

test('a key that was given up counts for nothing from then on', async () => {
  const firehose = await follow();
  await enroll(pds);
  await settled(firehose);
  const before = pds.key;
  pds.rotateKey();
  await pds.put(ENROLLMENT, enrollmentRkey(NODE), { createdAt: new Date().toISOString() }, before);
  await settled(firehose);
  expect(await db.quarantined.findMany()).toMatchObject([{ did: pds.did, reason: 'unproven' }]);
  expect(await enrolled()).toEqual([pds.did]);
  await pds.delete(ENROLLMENT, enrollmentRkey(NODE));
  await settled(firehose);
  expect(await enrolled()).toEqual([]);
});

test.each([
  ['a public post', async () => pds.put('app.bsky.feed.post', '3kaaa', { text: 'hello' })],
  ['another enrollment', async () => enroll(pds, { node: toDid('did:web:other.example') })],
])('a commit that is missing is noticed by the next, %s, and made up for', async (_, next) => {
  const firehose = await follow();
  await enroll(pds);
  await pds.put('app.bsky.feed.post', '3kzzz', { text: 'nothing is missing' });
  await settled(firehose);
  expect(await db.pdsResync.count()).toBe(0);
  const asked = (await db.enrollment.findFirstOrThrow()).rkey;
  pds.relay = undefined;
  await pds.delete(ENROLLMENT, enrollmentRkey(NODE));
  pds.relay = relay;
  await next();
  await vi.waitFor(
    async () => expect(await db.enrollment.count({ where: { rkey: asked } })).toBe(0),
    WAIT,
  );
  await vi.waitFor(async () => expect(await db.pdsResync.count()).toBe(0), WAIT);
});

test('commits that follow each other are no reason to read anything anew', async () => {
  const firehose = await follow();
  await enroll(pds);
  await settled(firehose);
  pds.resolvable = false;
  for (const rkey of ['3kaaa', '3kbbb'])
    await pds.put('app.bsky.feed.post', rkey, { text: 'hello' });
  relay.emit('#commit', pds.lastCommit);
  await settled(firehose);
  expect(await db.pdsResync.count()).toBe(0);
  const [actor] = await db.actor.findMany();
  expect(actor?.pdsRev).toBe(pds.lastCommit['rev']);
});

test('a commit of before does not count as a newer one, whatever revision a source gives it', async () => {
  const firehose = await follow();
  await enroll(pds);
  const enrolling = pds.lastCommit;
  await pds.delete(ENROLLMENT, enrollmentRkey(NODE));
  await settled(firehose);
  relay.emit('#commit', { ...enrolling, rev: TID.nextStr() });
  await settled(firehose);
  expect(await enrolled()).toEqual([]);
  expect(await db.quarantined.findMany()).toMatchObject([{ did: pds.did, reason: 'unproven' }]);
});

test('who sends more than is taken one by one is read as a whole', async () => {
  for (let i = 0; i < 300; i++) await pds.put(ENROLLMENT, `filler${i % 3}`, { n: i });
  await enroll(pds);
  const firehose = await follow();
  await settled(firehose);
  await vi.waitFor(async () => expect(await enrolled()).toEqual([pds.did]), WAIT);
  await vi.waitFor(async () => expect(await db.pdsResync.count()).toBe(0), WAIT);
});

test('events that are lost are made up for', async () => {
  await enroll(pds);
  const first = await follow();
  await settled(first);
  await first[Symbol.asyncDispose]();
  await db.syncCursor.updateMany({ data: { follower: null } });
  const stranger = await startPds();
  await enroll(stranger);
  await pds.delete(ENROLLMENT, enrollmentRkey(NODE));
  relay.floor = relay.position;
  await follow();
  await vi.waitFor(async () => expect(await enrolled()).toEqual([stranger.did]), WAIT);
});

test('an account that is put aside while it is read for the first time stays aside', async () => {
  pds.relay = undefined;
  await enroll(pds);
  pds.relay = relay;
  pds.onRead = () => {
    if (!pds.active) return;
    pds.active = false;
    pds.emitAccount(false, 'deactivated');
  };
  await pds.emitSync();
  await follow();
  const where = { did: pds.did };
  await vi.waitFor(async () => expect(await enrolled()).toEqual([pds.did]), WAIT);
  await vi.waitFor(
    async () => expect(await db.actor.findUnique({ where })).toMatchObject({ active: false }),
    WAIT,
  );
  pds.active = true;
  pds.onRead = () => {};
  pds.emitAccount(true);
  await vi.waitFor(async () => expect(await db.pdsResync.count()).toBe(0), WAIT);
  expect(await db.actor.findUnique({ where })).toMatchObject({ active: true });
});

test('an account that was put aside or taken up in events that are lost is so here', async () => {
  const other = await startPds();
  for (const each of [pds, other]) await enroll(each);
  const first = await follow();
  other.active = false;
  other.emitAccount(false, 'deactivated');
  await settled(first);
  await first[Symbol.asyncDispose]();
  await db.syncCursor.updateMany({ data: { follower: null } });
  expect(await inUse()).toEqual([pds.did]);
  [pds.active, other.active] = [false, true];
  pds.emitAccount(false, 'deactivated');
  other.emitAccount(true);
  relay.floor = relay.position;
  await follow();
  await vi.waitFor(async () => expect(await inUse()).toEqual([other.did]), WAIT);
});

async function inUse(): Promise<string[]> {
  const rows = await db.actor.findMany({ where: { active: true } });
  return rows.map(({ did }) => did);
}

test('takes nothing more while the database does not keep up', async () => {
  const firehose = await follow();
  await settled(firehose);
  const people = Array.from({ length: 1_200 }, (_, i) => `did:web:localhost%3A1:${i}`);
  await db.actor.createMany({ data: people.map((did) => ({ did })) });
  const block = db.$transaction(
    async (tx) => {
      await tx.$executeRaw`select 1 from stratos_sync_cursor for update`;
      const time = new Date().toISOString();
      for (const did of people) relay.emit('#account', { did, active: false, time });
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      return firehose.status();
    },
    { timeout: 20_000 },
  );
  expect((await block).lag).toBe(1_000);
  await settled(firehose);
  expect(await db.actor.count({ where: { active: true } })).toBe(0);
}, 90_000);

test('what strangers take back goes before nobody', async () => {
  await enroll(pds);
  const stranger = await startPds();
  const turns = new Turns(1);
  const first = vi.spyOn(turns, 'first');
  const firehose = await follow(turns);
  await settled(firehose);
  const time = new Date().toISOString();
  relay.emit('#account', { did: stranger.did, active: false, time });
  await settled(firehose);
  expect(first).not.toHaveBeenCalled();
  relay.emit('#account', { did: pds.did, active: false, time });
  await settled(firehose);
  expect(first).toHaveBeenCalledOnce();
});
