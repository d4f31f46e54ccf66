import { createIdentityResolver, ProofError, SigningKey, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyEvent, BrokenTrustError, type NodeEvent } from '../applying/apply-event.ts';
import { Author } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { keyHistoryOf } from './key-history.ts';
import { resolveNode } from './node-identity.ts';

const identity = createIdentityResolver({ plcUrl: 'http://localhost:1', devMode: true });

let world: World;
let rei: Author;
beforeEach(async () => {
  world = await World.create();
  rei = await Author.create(toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'));
});
afterEach(() => world[Symbol.asyncDispose]());

/** Connects as the follower does, and takes all events from the first on. */
async function follow(events: readonly NodeEvent[]): Promise<void> {
  const { db, node } = world;
  const { keys } = await resolveNode(identity, node.did);
  const history = await keyHistoryOf(identity, { did: node.did, endpoint: node.url, keys });
  const source = { db, nodeDid: node.did, keys, history, leaseSeconds: 60 };
  for (const event of events) await applyEvent(source, event);
}

test('a log that goes on with another key is followed from its beginning', async () => {
  const { node } = world;
  await node.membership(rei, ['art']);
  await node.rotateKey();
  await node.membership(rei, ['art', 'writers']);
  await follow([...node.events, await node.heartbeat()]);
  expect(await world.db.membershipBoundary.count()).toBe(2);
  expect(await world.db.node.findFirst()).toMatchObject({ membershipSeq: 2n, streamCursor: 2n });
});

test('a key that was given up signs nothing more', async () => {
  const { node } = world;
  const old = node.key;
  await node.membership(rei, ['art']);
  await node.rotateKey();
  await node.membership(rei, ['art', 'writers'], { signedBy: old });
  await expect(follow(node.events)).rejects.toThrow(BrokenTrustError);
  expect(await world.db.membershipBoundary.count()).toBe(1);
});

test('a new key does not speak for the time before it', async () => {
  const { node } = world;
  const next = SigningKey.generate('secp256k1');
  await node.membership(rei, ['art'], { signedBy: next });
  await node.rotateKey();
  await expect(follow(node.events)).rejects.toThrow(BrokenTrustError);
});

test('a key that the one before does not vouch for is no history', async () => {
  await world.node.rotateKey({ signedBy: SigningKey.generate('secp256k1') });
  await expect(follow([])).rejects.toThrow(ProofError);
});

test('without a history the keys of now are all there are', async () => {
  const { node } = world;
  await node.membership(rei, ['art']);
  await follow(node.events);
  expect(await world.db.membershipBoundary.count()).toBe(1);
});
