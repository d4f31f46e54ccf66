import { cidOf, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Author } from '../testing/author.ts';
import { followWorld } from '../testing/follow-world.ts';
import type { LyingNode } from '../testing/lying-node.ts';
import { World } from '../testing/world.ts';

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
  await world.apply(await node.membership(rei, ['art']));
  await world.apply(node.commit(await rei.post('3kaaa', [art])));
  await world.apply(await node.membership(rei, ['art', 'writers']));
  await world.apply(node.commit(await rei.post('3kbbb', [art])));
});
afterEach(() => opened.disposeAsync());

const stored = () => world.db.node.findUniqueOrThrow({ where: { did: node.did } });

/** The node goes back to what it was after some events, and an indexer notices. */
async function rollBack({ events, entries }: { events: number; entries: number }): Promise<void> {
  node.events.splice(events);
  node.entries.splice(entries);
  const newest = node.entries.at(-1);
  if (!newest) throw new Error('no log');
  node.log = { seq: newest.seq, cid: await cidOf(newest.bytes) };
  opened.use(await followWorld(world));
  await vi.waitFor(async () => expect((await stored()).rolledBackAt).not.toBeNull(), WAIT);
}

async function expectNothingTaken(): Promise<void> {
  const before = await stored();
  const { length } = node.connections;
  await vi.waitFor(() => expect(node.connections.length).toBeGreaterThan(length + 2), WAIT);
  expect(await stored()).toEqual(before);
  expect(before).toMatchObject({ leaseUntil: null, rolledBackAt: expect.any(Date) });
  expect(await world.db.resync.count()).toBe(0);
}

test('a node that comes past our position with another log is not taken back', async () => {
  await rollBack({ events: 2, entries: 1 });
  await node.membership(rei, ['art']);
  for (const rkey of ['3kccc', '3kddd']) node.commit(await rei.post(rkey, [art]));
  expect(node.position).toBe(5);
  await expectNothingTaken();
});

test('nor is one with our log that is not where we are, and does not say so', async () => {
  await rollBack({ events: 3, entries: 2 });
  node.isForgetful = true;
  await expectNothingTaken();
});

test('a node past our position with our log is taken back, without what it has lost', async () => {
  const sakura = await Author.create(SAKURA);
  const restored = await Author.create(SAKURA, undefined, sakura.key);
  node.repos.set(SAKURA, () => restored.car());
  await world.enroll(sakura);
  await world.apply(await node.membership(sakura, ['art']));
  await world.apply(node.commit(await sakura.post('3kyyy', [art])));
  expect(await world.readable()).toEqual(['3kaaa art', '3kbbb art', '3kyyy art']);
  await rollBack({ events: 5, entries: 3 });
  for (const rkey of ['3kccc', '3kddd']) node.commit(await rei.post(rkey, [art]));
  await vi.waitFor(async () => expect((await stored()).rolledBackAt).toBeNull(), WAIT);
  const expected = ['3kaaa art', '3kbbb art', '3kccc art', '3kddd art'];
  await vi.waitFor(async () => expect(await world.readable()).toEqual(expected), WAIT);
});
