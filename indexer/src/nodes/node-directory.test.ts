import { createGuardedFetch, createIdentityResolver, SigningKey, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Presence } from '../followers/presence.ts';
import { Turns } from '../followers/turns.ts';
import { createLogger } from '../logger.ts';
import { Shortage } from '../shortage.ts';
import { Author } from '../testing/author.ts';
import { LyingNode } from '../testing/lying-node.ts';
import { World } from '../testing/world.ts';
import { NodeDirectory } from './node-directory.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
const WAIT = { timeout: 20_000, interval: 20 };

let opened: AsyncDisposableStack;
let world: World;
let honest: LyingNode;
let rei: Author;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  world = opened.use(await World.create());
  honest = world.node;
  rei = await Author.create(REI);
  await world.enroll(rei);
  await honest.membership(rei, ['art']);
  honest.commit(await rei.genesis());
});
afterEach(async () => {
  await opened.disposeAsync();
});

async function addNode(): Promise<LyingNode> {
  const node = opened.use(await LyingNode.start());
  await world.db.node.create({ data: { did: node.did, endpoint: node.url } });
  return node;
}

async function follow({ maxMembers = 1_000 } = {}): Promise<NodeDirectory> {
  const { db } = world;
  const logger = createLogger('silent');
  const presence = opened.use(new Presence(db, logger));
  await presence.start();
  const appView = {
    did: toDid('did:web:localhost%3A4000'),
    key: SigningKey.generate('secp256k1'),
  };
  const nodes = opened.use(
    new NodeDirectory(
      {
        db,
        identity: createIdentityResolver({ plcUrl: 'http://localhost:1', devMode: true }),
        fetchLog: createGuardedFetch({ devMode: true }),
        appView,
        leaseSeconds: 60,
        devMode: true,
        maxReconnectMs: 1_000,
        maxOpenMs: 2_000,
        shortage: new Shortage(1_000),
        turns: new Turns(1),
        logger,
      },
      { allowed: [], denied: [], max: 10, maxMembers },
      presence,
    ),
  );
  await nodes.resume();
  return nodes;
}

/** Posts of the honest node, one after the other, each as soon as the one before is readable. */
async function postHonestly(count: number): Promise<void> {
  const already = (await world.readable()).length;
  for (let i = 1; i <= count; i++) {
    const rkey = `3k${String(already + i).padStart(4, '0')}`;
    honest.commit(await rei.post(rkey, [honest.boundary('art')]));
    await honest.flush();
    await vi.waitFor(async () => expect(await world.readable()).toHaveLength(already + i), WAIT);
  }
}

test('a node that floods does not make another wait for its backlog', async () => {
  const flooding = await addNode();
  for (let i = 0; i < 40; i++) await flooding.membership(rei, [`b${i % 2}`]);
  // The same again and again is soon seen through, and has to be looked at all the same.
  flooding.onFrame = (frame) => new Array<Uint8Array>(150).fill(frame);
  const nodes = await follow();
  await vi.waitFor(() => expect(nodes.status()[flooding.did]?.cursor).toBeGreaterThan(0), WAIT);
  await postHonestly(5);
  expect(nodes.status()[flooding.did]?.cursor).toBeLessThan(40);
  await vi.waitFor(() => expect(nodes.status()[flooding.did]?.cursor).toBe(40), {
    timeout: 60_000,
  });
}, 90_000);

test('a node that sends garbage is left alone, and taken back when it has mended', async () => {
  const garbled = await addNode();
  await garbled.membership(rei, ['art']);
  garbled.onFrame = () => [new Uint8Array([1, 2, 3])];
  const nodes = await follow();
  const breaker = () => nodes.status()[garbled.did]?.breaker;
  await vi.waitFor(() => expect(breaker()).toBe('open'), WAIT);
  expect(nodes.status()[garbled.did]).toMatchObject({ connected: false, cursor: 0 });
  expect(nodes.status()[honest.did]).toMatchObject({ connected: true, breaker: 'closed' });
  await postHonestly(3);
  garbled.onFrame = undefined;
  await vi.waitFor(() => expect(breaker()).toBe('half-open'), WAIT);
  await vi.waitFor(() => expect(nodes.status()[garbled.did]?.cursor).toBe(1), WAIT);
});

test('a node with more members than may be is not followed any further', async () => {
  const endless = await addNode();
  const nodes = await follow({ maxMembers: 20 });
  for (let i = 0; i <= 20; i++) {
    const did = toDid(`did:plc:${String.fromCharCode(97 + i).repeat(24)}`);
    await endless.membership(await Author.create(did, undefined, rei.key), ['art']);
  }
  await endless.flush();
  await vi.waitFor(async () => expect(await world.refusals()).toEqual(['too-many-members']), WAIT);
  expect(nodes.isFollowing(endless.did)).toBe(false);
  const { cursor } = nodes.status()[endless.did] ?? {};
  await endless.membership(rei, ['art']);
  await endless.flush();
  await postHonestly(1);
  expect(nodes.status()[endless.did]).toMatchObject({ connected: false, cursor, breaker: 'open' });

  await world.db.membershipBoundary.deleteMany({ where: { nodeDid: endless.did } });
  const some = { nodeDid: endless.did, seq: { gt: 10 } };
  await world.db.membership.deleteMany({ where: some });
  await vi.waitFor(() => expect(nodes.status()[endless.did]?.cursor).toBe(endless.position), WAIT);
  expect(nodes.isFollowing(endless.did)).toBe(true);
}, 60_000);
