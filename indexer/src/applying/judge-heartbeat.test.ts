import { SigningKey, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Author } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { BrokenTrustError } from './apply-event.ts';

let world: World;

beforeEach(async () => {
  world = await World.create();
  const rei = await Author.create(toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'));
  await world.apply(await world.node.membership(rei, ['art']));
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

async function lease(): Promise<number | undefined> {
  return (await world.db.node.findFirstOrThrow()).leaseUntil?.getTime();
}

test('a heartbeat at our position gives a lease from its own time on', async () => {
  const time = new Date(Date.now() - 20_000);
  await world.apply(await world.node.heartbeat({ time }));
  expect(await lease()).toBe(time.getTime() + 5_000 + 60_000);
});

test('a node whose clock is ahead gets no more than from our now', async () => {
  const latest = Date.now() + 61_000;
  await world.apply(await world.node.heartbeat({ time: new Date(Date.now() + 20_000) }));
  expect(await lease()).toBeLessThan(latest);
});

test('an old heartbeat takes nothing away from a newer one', async () => {
  const old = await world.node.heartbeat({ time: new Date(Date.now() - 3_600_000) });
  await world.apply(await world.node.heartbeat());
  const before = await lease();
  await world.apply(old);
  expect(await lease()).toBe(before);
});

test.each([1, -1])('a heartbeat %i away from our position gives none', async (distance) => {
  const beat = await world.node.heartbeat({ seq: world.node.position + distance });
  await world.apply(beat);
  expect(await lease()).toBeUndefined();
});

test('a heartbeat by another key gives none, and breaks trust', async () => {
  const beat = await world.node.heartbeat({ signedBy: SigningKey.generate('secp256k1') });
  await expect(world.apply(beat)).rejects.toThrow(BrokenTrustError);
  expect(await lease()).toBeUndefined();
});

test('a heartbeat with another membership log gives none, and breaks trust', async () => {
  const { log } = world.node;
  if (!log) throw new Error('no log');
  world.node.log = { ...log, seq: log.seq + 1 };
  await expect(world.apply(await world.node.heartbeat())).rejects.toThrow(BrokenTrustError);
  expect(await lease()).toBeUndefined();
  expect(await world.refusals()).toEqual(['heartbeat:broken-chain']);
});

test('after a loss, where the node is has to be said twice', async () => {
  const { node } = world;
  const cursor = async () => Number((await world.db.node.findFirstOrThrow()).streamCursor);
  const before = await cursor();
  const beat = await node.heartbeat({ seq: before + 5 });
  for (const madeUp of [undefined, {}, { heard: before }, { heard: before + 1_000 }]) {
    await world.applyAll([beat], { madeUp });
    expect([await cursor(), await lease()]).toEqual([before, undefined]);
  }
  await world.applyAll([beat], { madeUp: { heard: before + 5 } });
  expect(await cursor()).toBe(before + 5);
  expect(await lease()).toBeDefined();
});
