import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  cidOf,
  createGuardedFetch,
  createIdentityResolver,
  SigningKey,
  toDid,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lockNodeState } from '../applying/node-state.ts';
import { inTransaction } from '../database.ts';
import { Presence } from '../followers/presence.ts';
import { Turns } from '../followers/turns.ts';
import { createLogger } from '../logger.ts';
import { RepoResyncs } from '../resync/repo-resyncs.ts';
import { Shortage } from '../shortage.ts';
import { Author, create, remove } from '../testing/author.ts';
import { bytesOf, type LyingNode } from '../testing/lying-node.ts';
import { World } from '../testing/world.ts';
import { NodeKeys } from '../verifying/node-keys.ts';
import { verifyStored } from '../verifying/verify.ts';
import { acceptRestored } from './accept-restored.ts';
import { NodeDirectory } from './node-directory.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
const SAKURA = toDid('did:plc:bbbbbbbbbbbbbbbbbbbbbbbb');
const WAIT = { timeout: 20_000, interval: 50 };

let opened: AsyncDisposableStack;
let world: World;
let node: LyingNode;
let rei: Author;
let art: string;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  world = opened.use(await World.create());
  node = world.node;
  rei = await Author.create(REI);
  art = node.boundary('art');
  node.repos.set(REI, () => rei.car());
  await world.enroll(rei);
  await node.membership(rei, ['art']);
  node.commit(await rei.genesis());
  node.commit(await rei.commit([create('3kaaa', [art], 'a'), create('3kbbb', [art], 'b')]));
});
afterEach(async () => {
  await opened.disposeAsync();
});

/** Follows the node, with its resyncs, until the test ends or it is stopped. */
async function follow() {
  const { db } = world;
  const identity = createIdentityResolver({ plcUrl: 'http://localhost:1', devMode: true });
  const logger = createLogger('silent');
  const appView = {
    did: toDid('did:web:localhost%3A4000'),
    key: SigningKey.generate('secp256k1'),
  };
  const running = new AsyncDisposableStack();
  opened.use(running);
  const fetchLog = createGuardedFetch({ devMode: true });
  const presence = running.use(new Presence(db, logger));
  await presence.start();
  const nodes = running.use(
    new NodeDirectory(
      {
        db,
        identity,
        fetchLog,
        appView,
        leaseSeconds: 60,
        devMode: true,
        maxReconnectMs: 500,
        maxOpenMs: 500,
        shortage: new Shortage(1_000),
        turns: new Turns(8),
        logger,
      },
      { allowed: [], denied: [], max: 10, maxMembers: 1_000 },
      presence,
    ),
  );
  const mayFollow = () => true;
  const resyncs = running.use(
    new RepoResyncs({ db, identity, appView, devMode: true, logger, mayFollow }),
  );
  await nodes.resume();
  resyncs.start();
  return { nodes, resyncs, stop: () => running.disposeAsync() };
}

async function stored() {
  const omit = { follower: true, followEpoch: true } as const;
  return world.db.node.findUniqueOrThrow({ omit, where: { did: node.did } });
}

async function hasLease(): Promise<boolean> {
  return ((await stored()).leaseUntil?.getTime() ?? 0) > Date.now();
}

/** Everything up to now is known, then the indexer is away for so long that the node forgets. */
async function away(): Promise<void> {
  const { stop } = await follow();
  await vi.waitFor(async () => expect(await hasLease()).toBe(true), WAIT);
  await stop();
  await world.db.node.updateMany({ data: { leaseUntil: null } });
}

test('a gap heals by itself', async () => {
  await rei.post('3kccc', [art], 'c');
  node.commit(await rei.post('3kddd', [art], 'd'));
  const { resyncs } = await follow();
  await vi.waitFor(async () => expect(await world.readable()).toHaveLength(4), WAIT);
  await vi.waitFor(async () => expect(await resyncs.waiting()).toBe(0), WAIT);
  node.commit(await rei.post('3keee', [art], 'e'));
  await node.flush();
  await vi.waitFor(async () => expect(await world.readable()).toHaveLength(5), WAIT);
});

test('what a node has forgotten is made up for from its log and its repos', async () => {
  await away();
  const sakura = await Author.create(SAKURA);
  const hana = await Author.create(toDid('did:plc:cccccccccccccccccccccccc'));
  node.repos.set(SAKURA, () => sakura.car());
  await world.enroll(sakura);
  await world.enroll(hana);
  node.logPageSize = 2;
  await node.membership(hana, ['art']);
  await node.membership(sakura, ['art']);
  node.commit(await rei.commit([remove('3kaaa'), create('3kccc', [art], 'c')]));
  node.commit(await sakura.post('3kddd', [art], 'd'));
  await node.membership(hana, [], { active: false });
  node.floor = node.position;
  await node.membership(sakura, ['art', 'writers']);
  node.commit(await rei.post('3keee', [art], 'e'));

  await follow();
  const expected = ['3kbbb art', '3kccc art', '3keee art', '3kddd art'];
  await vi.waitFor(async () => expect(await world.readable()).toEqual(expected), WAIT);
  await vi.waitFor(async () => expect(await hasLease()).toBe(true), WAIT);
  expect(await stored()).toMatchObject({ streamCursor: BigInt(node.position), membershipSeq: 5n });
  expect(await world.db.membership.count({ where: { active: true } })).toBe(2);
  expect(await world.db.tombstone.count()).toBe(1);
  expect(await world.refusals()).toEqual([]);
});

test('where nothing is left of the stream, the lease comes with two heartbeats that say the same', async () => {
  await away();
  node.commit(await rei.commit([remove('3kaaa')]));
  node.floor = node.position;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  node.repos.set(REI, async () => {
    await held;
    return rei.car();
  });
  const fromAhead = await node.heartbeat({ seq: node.position + 1_000 });
  const lies = [bytesOf(fromAhead)];
  node.onRest = async () => lies.shift();
  await follow();
  await vi.waitFor(async () => {
    await node.flush();
    expect(await hasLease()).toBe(true);
  }, WAIT);
  expect(lies).toEqual([]);
  expect(await stored()).toMatchObject({ streamCursor: BigInt(node.position) });
  expect(await world.readable()).toEqual([]);
  release();
  await vi.waitFor(async () => expect(await world.readable()).toEqual(['3kbbb art']), WAIT);
});

test('a log that is not the one we know gives no lease, and moves nothing', async () => {
  await away();
  const { log, entries } = node;
  await node.membership(rei, [], { prev: undefined });
  node.floor = node.position;
  const before = await stored();
  await follow();
  await vi.waitFor(async () => expect(await world.refusals()).toEqual(['log:broken-chain']), WAIT);
  const reconnects = node.connections.length;
  await vi.waitFor(() => expect(node.connections.length).toBeGreaterThan(reconnects), WAIT);
  expect(await stored()).toEqual(before);
  expect(await world.db.resync.count()).toBe(0);

  entries.pop();
  node.log = log;
  await node.membership(rei, ['art']);
  await vi.waitFor(async () => expect(await hasLease()).toBe(true), WAIT);
});

test('a node that was restored from a backup gets no lease, and nothing is taken from it', async () => {
  await away();
  const before = await stored();
  const events = node.events.splice(1);
  await follow();
  await vi.waitFor(async () => expect(await world.refusals()).toEqual(['rolled-back']), WAIT);
  const reconnects = node.connections.length;
  await vi.waitFor(() => expect(node.connections.length).toBeGreaterThan(reconnects + 2), WAIT);
  expect(await world.refusals()).toEqual(['rolled-back']);
  expect(await stored()).toEqual({ ...before, rolledBackAt: expect.any(Date) });
  node.events.push(...events);
  await vi.waitFor(async () => expect(await hasLease()).toBe(true), WAIT);
  expect((await stored()).rolledBackAt).toBeNull();
});

test.each([
  ['no indexer runs', false],
  ['one runs', true],
])('a restored node is taken anew when an operator says so, while %s', async (_, isRunning) => {
  await away();
  const sakura = await Author.create(SAKURA);
  await world.enroll(sakura);
  await world.apply(await node.membership(sakura, ['art']));
  await world.apply(node.commit(await sakura.post('3kccc', [art])));
  await world.apply(node.commit(await rei.post('3kddd', [art], 'd')));
  expect(await world.readable()).toHaveLength(4);
  const { bytes } = node.entries[0] ?? {};
  if (!bytes) throw new Error('no log');
  node.entries.splice(1);
  node.log = { seq: 1, cid: await cidOf(bytes) };
  node.events.splice(2);
  rei = await Author.create(REI, undefined, rei.key);
  node.commit(await rei.post('3keee', [art], 'e'));
  if (isRunning) {
    await follow();
    await vi.waitFor(async () => expect(await world.refusals()).toEqual(['rolled-back']), WAIT);
  }
  expect(await acceptRestored(world.db, node.did)).toEqual({ people: 2 });
  expect(await world.readable()).toEqual([]);

  if (!isRunning) await follow();
  await vi.waitFor(async () => expect(await world.readable()).toEqual(['3keee art']), WAIT);
  await vi.waitFor(async () => expect(await hasLease()).toBe(true), WAIT);
  expect(await world.refusals()).toEqual([]);
  expect(await world.db.membership.findMany({ where: { active: true } })).toMatchObject([
    { did: REI },
  ]);
  const keys = new NodeKeys(
    createIdentityResolver({ plcUrl: 'http://localhost:1', devMode: true }),
  );
  expect(await verifyStored(world.db, { keys })).toMatchObject({ flaws: [] });
});

test('a node that is not known cannot be taken anew', async () => {
  expect(await acceptRestored(world.db, toDid('did:web:nowhere.example'))).toBeUndefined();
});

test('nodes that hang when asked for a repo hold up neither streams nor the repos of others', async () => {
  const asked: string[] = [];
  const hanging = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', node.url);
    if (pathname.endsWith(zone.stratos.sync.getRepo.$nsid)) {
      asked.push(pathname);
      return;
    }
    if (pathname !== '/.well-known/did.json') {
      response.writeHead(404).end();
      return;
    }
    const { port } = hanging.address() as AddressInfo;
    const at = { did: `did:web:localhost%3A${port}`, url: `http://localhost:${port}` };
    const text = JSON.stringify(node.document);
    response.end(text.replaceAll(node.did, at.did).replaceAll(node.url, at.url));
  }).listen(0, '127.0.0.1');
  await once(hanging, 'listening');
  opened.defer(() => {
    hanging.closeAllConnections();
    hanging.close();
  });
  const did = `did:web:localhost%3A${(hanging.address() as AddressInfo).port}`;
  const { db } = world;
  await db.node.create({ data: { did, endpoint: 'http://localhost' } });
  const signingKey = rei.key.did();
  for (const person of [REI, SAKURA]) {
    const at = { did: person, nodeDid: did };
    const membership = { ...at, active: true, seq: 1, signingKey, issuedAt: new Date() };
    await db.membership.create({ data: membership });
    await db.resync.create({ data: { ...at, reason: 'returned' } });
  }
  await rei.post('3kccc', [art], 'c');
  node.commit(await rei.post('3kddd', [art], 'd'));
  await follow();
  await vi.waitFor(async () => expect(await world.readable()).toHaveLength(4), WAIT);
  expect(await hasLease()).toBe(true);
  expect(asked).toHaveLength(1);
  expect(await db.resync.findMany({ where: { nodeDid: did } })).toMatchObject([
    { failures: 0 },
    { failures: 0 },
  ]);
});

test('what is taken back is hidden while the events before it wait', async () => {
  const { db } = world;
  const { nodes } = await follow();
  await vi.waitFor(async () => expect(await hasLease()).toBe(true), WAIT);
  const goOn = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const paused = inTransaction(db, async (tx) => {
    await lockNodeState(tx, node.did);
    held.resolve();
    await goOn.promise;
  });
  await held.promise;
  const before = await stored();
  for (const rkey of ['3kccc', '3kddd']) {
    node.commit(await rei.post(rkey, [art]));
    await node.flush();
  }
  node.commit(await rei.commit([remove('3kaaa')]));
  await node.membership(rei, []);
  await node.flush();
  await vi.waitFor(async () => expect(await world.readable()).toEqual(['3kbbb art']), WAIT);
  await vi.waitFor(async () => expect(await db.membershipBoundary.count()).toBe(0), WAIT);
  expect(await stored()).toEqual(before);
  goOn.resolve();
  await paused;
  const expected = ['3kbbb art', '3kccc art', '3kddd art'];
  await vi.waitFor(async () => expect(await world.readable()).toEqual(expected), WAIT);
  await vi.waitFor(async () => expect(await db.hold.count()).toBe(0), WAIT);
  expect(Object.values(nodes.status())).toMatchObject([{ refused: 0 }]);
});
