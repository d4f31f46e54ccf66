import { setTimeout as sleep } from 'node:timers/promises';
import { createPrismaClient } from '@stratos/prisma';
import { createTestDatabase } from '@stratos/prisma/testing';
import {
  createGuardedFetch,
  createIdentityResolver,
  enrollmentRkey,
  SigningKey,
  signAttestation,
  toDid,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Database } from '../../database.ts';
import { Presence } from '../../followers/presence.ts';
import { Turns } from '../../followers/turns.ts';
import { createLogger } from '../../logger.ts';
import { RepoResyncs } from '../../resync/repo-resyncs.ts';
import { Shortage } from '../../shortage.ts';
import { Author, create, postRecord, remove, update } from '../../testing/author.ts';
import { OlderNode } from '../../testing/older-node.ts';
import { NodeKeys } from '../../verifying/node-keys.ts';
import { verifyStored } from '../../verifying/verify.ts';
import { NodeDirectory } from '../node-directory.ts';
import { encodeMember } from './attested-member.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
const SAKURA = toDid('did:plc:bbbbbbbbbbbbbbbbbbbbbbbb');
const WAIT = { timeout: 40_000, interval: 50 };
vi.setConfig({ testTimeout: 90_000 });
const LEASE_SECONDS = 2;
const POST = zone.stratos.feed.post.$nsid;

let opened: AsyncDisposableStack;
let db: Database;
let node: OlderNode;
let rei: Author;
let art: string;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  db = createPrismaClient(url, { poolSize: 12 });
  opened.defer(() => db.$disconnect());
  node = opened.use(await OlderNode.start());
  await db.node.create({ data: { did: node.did, endpoint: node.url } });
  art = node.boundary('art');
  rei = await Author.create(REI);
  await rei.commit([create('3kaaa', [art]), create('3kbbb', [art])]);
  await enroll(rei);
});
afterEach(async () => {
  await opened.disposeAsync();
});

const identity = createIdentityResolver({ plcUrl: 'http://localhost:1', devMode: true });

/** At the node and on the PDS. */
async function enroll(author: Author, names = ['art']): Promise<void> {
  node.enroll(author, names);
  await name(author);
}

/** On the PDS alone. */
async function name({ did, key }: Author): Promise<void> {
  await db.enrollment.create({
    data: {
      ...{ did, rkey: enrollmentRkey(node.did), serviceUrl: node.url, nodeDid: node.did },
      ...{ signingKey: key.did(), boundaries: [], enrolledAt: new Date(), rev: 'r' },
    },
  });
}

async function attested(at: OlderNode, { did, key }: Author, signedBy: SigningKey) {
  const claims = { did, boundaries: [at.boundary('art')], signingKey: key.did() };
  const { sig } = await signAttestation(claims, signedBy);
  return { ...claims, attestation: { sig, signingKey: at.key.did() } };
}

async function follow({ maxMembers = 1_000, askAgainMs = 60_000 } = {}) {
  const logger = createLogger(process.env['LOG'] ?? 'silent');
  const appView = {
    did: toDid('did:web:localhost%3A4000'),
    key: SigningKey.generate('secp256k1'),
  };
  const running = opened.use(new AsyncDisposableStack());
  const presence = running.use(new Presence(db, logger));
  await presence.start();
  const nodes = running.use(
    new NodeDirectory(
      {
        ...{ db, identity, appView, logger, askAgainMs, devMode: true },
        fetchLog: createGuardedFetch({ devMode: true }),
        leaseSeconds: LEASE_SECONDS,
        ...{ maxReconnectMs: 300, maxOpenMs: 60_000 },
        shortage: new Shortage(1_000),
        turns: new Turns(8),
      },
      { allowed: [], denied: [], max: 10, maxMembers },
      presence,
    ),
  );
  const resyncs = running.use(
    new RepoResyncs({ db, identity, appView, devMode: true, logger, mayFollow: () => true }),
  );
  await nodes.resume();
  resyncs.start();
  return { status: () => nodes.status()[node.did], stop: () => running.disposeAsync() };
}

/** What may be read, by rkey. */
async function readable(): Promise<string[]> {
  const rows = await db.postBoundary.findMany({ orderBy: { uri: 'asc' } });
  return rows.map(({ uri }) => uri.split('/').at(-1) ?? '');
}

const reads = (expected: string[]) =>
  vi.waitFor(async () => expect(await readable()).toEqual(expected), WAIT);

const stored = () => db.node.findUniqueOrThrow({ where: { did: node.did } });
const lease = async () => (await stored()).leaseUntil?.getTime() ?? 0;
const reasons = async () => {
  const rows = await db.quarantined.findMany({ orderBy: { id: 'asc' } });
  return rows.map(({ reason }) => reason);
};
const memberOf = async (name: string) => {
  const where = { boundary: node.boundary(name) };
  const rows = await db.membershipBoundary.findMany({ where, orderBy: { did: 'asc' } });
  return rows.map(({ did }) => did);
};
const isServed = () =>
  vi.waitFor(async () => expect(await lease()).toBeGreaterThan(Date.now()), WAIT);
const isListenedTo = (did: string) =>
  vi.waitFor(() => expect(node.turns.some((turn) => turn.did === did)).toBe(true), WAIT);

describe('a node without a stream of all', () => {
  test.each(['hang-up', 404, 501] as const)('that answers with %s is followed', async (refusal) => {
    node.refusal = refusal;
    const { status } = await follow();
    await reads(['3kaaa', '3kbbb']);
    await isServed();
    expect((await stored()).stream).toBe('records');
    await vi.waitFor(() => {
      expect(status()).toMatchObject({ connected: true, people: { sockets: 1, waiting: 0 } });
    }, WAIT);
  });

  test.each([401, 503])('is not what answers with %s', async (refusal) => {
    node.refusal = refusal;
    const { status } = await follow();
    await vi.waitFor(() => expect(status()?.errors).toBeGreaterThan(2), WAIT);
    expect(node.asked).toEqual([]);
    expect((await stored()).stream).toBe('service');
  });

  test('is not followed if it had a membership log before', async () => {
    await db.node.updateMany({ data: { membershipSeq: 3, membershipHead: 'x' } });
    const { status } = await follow();
    await vi.waitFor(() => expect(status()?.errors).toBeGreaterThan(2), WAIT);
    expect(node.asked).toEqual([]);
    expect(await lease()).toBe(0);
  });

  test('is asked for it again later', async () => {
    await follow({ askAgainMs: 500 });
    await vi.waitFor(() => expect(node.refused).toBeGreaterThan(2), WAIT);
    await isServed();
  });
});

describe('what its people write', () => {
  let following: Awaited<ReturnType<typeof follow>>;
  beforeEach(async () => {
    following = await follow();
    await reads(['3kaaa', '3kbbb']);
    await isListenedTo(REI);
  });

  test('is fetched when their streams say that something has changed', async () => {
    node.tell(await rei.post('3kccc', [art]));
    await reads(['3kaaa', '3kbbb', '3kccc']);
    node.tell(await rei.commit([update('3kaaa', [node.boundary('writers')]), remove('3kbbb')]));
    await reads(['3kccc']);
    node.enroll(rei, ['art', 'writers']);
    await reads(['3kaaa', '3kccc']);
    const cursor = async () => Number((await db.actorCursor.findFirst())?.seq ?? 0);
    expect(await cursor()).toBe(3);
  });

  test('is hidden as soon as it is said to be outdated, and shown again if it is not', async () => {
    const answer = Promise.withResolvers<void>();
    node.repos.set(REI, async () => {
      await answer.promise;
      return rei.car();
    });
    const before = await rei.fork();
    node.tell(await before.commit([remove('3kaaa'), update('3kbbb', [art])]));
    await reads([]);
    answer.resolve();
    await reads(['3kaaa', '3kbbb']);
    expect(await reasons()).toEqual([]);
  });

  test('is not what a stream says', async () => {
    const before = await db.post.findMany({ orderBy: { uri: 'asc' } });
    const lie = await (await rei.fork()).post('3kzzz', [art]);
    const content = postRecord([art], 'never signed');
    node.tell(lie, {
      ops: [{ action: 'create', path: `/${POST}/3kzzz`, cid: String(lie.commit), record: content }],
    });
    const resynced = () => expect(node.repoRequests).toBeGreaterThan(1);
    await vi.waitFor(resynced, WAIT);
    await vi.waitFor(async () => expect(await db.resync.count()).toBe(0), WAIT);
    expect(await db.post.findMany({ orderBy: { uri: 'asc' } })).toEqual(before);
  });

  test('is fetched when the node has fewer events than it told', async () => {
    await db.actorCursor.create({ data: { did: REI, nodeDid: node.did, seq: 7 } });
    await rei.post('3kccc', [art]);
    node.cut();
    await reads(['3kaaa', '3kbbb', '3kccc']);
    expect(await db.actorCursor.count()).toBe(0);
  });

  test('is fetched once when the node has lost events', async () => {
    await db.actorCursor.create({ data: { did: REI, nodeDid: node.did, seq: 7 } });
    await rei.post('3kccc', [art]);
    node.floor = 9;
    node.cut();
    await reads(['3kaaa', '3kbbb', '3kccc']);
    const asked = node.repoRequests;
    const turns = node.turns.length;
    node.cut();
    await vi.waitFor(() => expect(node.turns.length).toBeGreaterThan(turns), WAIT);
    await sleep(500);
    expect(node.repoRequests).toBe(asked);
  });

  test('is not asked for any more once a stream is of another repo than was asked for', async () => {
    node.tell(await rei.post('3kccc', [art]), { did: SAKURA });
    await vi.waitFor(() => expect(following.status()?.breaker).toBe('open'), WAIT);
    expect(await readable()).toEqual(['3kaaa', '3kbbb']);
  });
});

describe('its people', () => {
  test('are members as the node attests, and as long as it does', async () => {
    await follow();
    await reads(['3kaaa', '3kbbb']);
    expect(await memberOf('art')).toEqual([REI]);
    node.enroll(rei, ['writers']);
    await vi.waitFor(async () => expect(await memberOf('writers')).toEqual([REI]), WAIT);
    expect(await memberOf('art')).toEqual([]);
    node.enrolled.delete(REI);
    await reads([]);
    expect(await memberOf('writers')).toEqual([]);
    const changes = await db.change.findMany({ where: { kind: 'membership' } });
    expect(changes).toHaveLength(3);
    node.enroll(rei, ['art']);
    await reads(['3kaaa', '3kbbb']);
    expect(await reasons()).toEqual([]);
  });

  test('are not members because their PDS says so, or the node of somebody else', async () => {
    const sakura = await Author.create(SAKURA);
    await name(sakura);
    node.repos.set(SAKURA, () => sakura.car());
    await follow();
    await isServed();
    expect(await db.membership.findMany({ select: { did: true } })).toEqual([{ did: REI }]);
  });

  test.each([
    ['bad-signature', { signedBy: SigningKey.generate('secp256k1') }],
    ['wrong-boundary', { boundaries: ['did:web:other.example/art'] }],
    ['wrong-actor', { did: SAKURA }],
  ])('are none once what is attested of them is refused as %s', async (reason, lie) => {
    await follow();
    await reads(['3kaaa', '3kbbb']);
    node.enrolled.set(REI, { author: rei, names: ['art'], lie });
    await reads([]);
    expect(await memberOf('art')).toEqual([]);
    expect(await reasons()).toContain(`attestation:${reason}`);
    await isServed();
  });

  test.each([{ active: false }, { enrolled: false }])('are none who are %j there', async (lie) => {
    await follow();
    await reads(['3kaaa', '3kbbb']);
    node.enrolled.set(REI, { author: rei, names: ['art'], lie });
    await reads([]);
    expect(await reasons()).toEqual([]);
  });

  test('whose repo is another are taken anew with it', async () => {
    await follow();
    await reads(['3kaaa', '3kbbb']);
    const again = await Author.create(REI);
    await again.post('3kccc', [art]);
    node.enroll(again, ['art']);
    await db.enrollment.updateMany({ data: { signingKey: again.key.did() } });
    await reads(['3kccc']);
  });

  test('are no more than may be', async () => {
    await enroll(await Author.create(SAKURA));
    await follow({ maxMembers: 1 });
    await isServed();
    await vi.waitFor(() => expect(node.asked.length).toBeGreaterThan(3), WAIT);
    expect(await db.membership.count()).toBe(1);
  });

  test('are checked by who verifies what is stored', async () => {
    await follow();
    await reads(['3kaaa', '3kbbb']);
    const verify = async () => {
      const { flaws } = await verifyStored(db, { keys: new NodeKeys(identity) });
      return flaws.map(({ kind }) => kind);
    };
    expect(await verify()).toEqual([]);
    const { attestation, ...claims } = await attested(node, rei, SigningKey.generate('secp256k1'));
    const entry = new Uint8Array(encodeMember({ ...claims, attestation }));
    await db.membership.updateMany({ data: { entry } });
    expect(await verify()).toEqual(['statement-signature']);
  });
});

describe('the lease', () => {
  test('is not renewed while the node is silent about a single member', async () => {
    const sakura = await Author.create(SAKURA);
    await enroll(sakura);
    const { status } = await follow();
    await vi.waitFor(async () => expect(await memberOf('art')).toEqual([REI, SAKURA]), WAIT);
    await isServed();
    node.silentAbout.add(SAKURA);
    const fails = async () => {
      const { errors = 0 } = status() ?? {};
      await vi.waitFor(() => expect(status()?.errors).toBeGreaterThan(errors), WAIT);
    };
    await fails();
    const before = await lease();
    await fails();
    expect(await lease()).toBe(before);
    expect(await memberOf('art')).toEqual([REI, SAKURA]);
    node.silentAbout.clear();
    await isServed();
  });

  test('has nothing to do with who is no member', async () => {
    await name(await Author.create(SAKURA));
    node.silentAbout.add(SAKURA);
    const { status } = await follow();
    await isServed();
    const timesAsked = () => node.asked.filter((did) => did === SAKURA).length;
    await vi.waitFor(() => expect(timesAsked()).toBeGreaterThan(2), WAIT);
    expect(status()?.errors ?? 0).toBe(0);
    await isServed();
  });

  test('runs out when the node is gone', async () => {
    await follow();
    await isServed();
    await node[Symbol.asyncDispose]();
    await vi.waitFor(async () => expect(await lease()).toBeLessThan(Date.now()), WAIT);
  });
});
