import { toDid } from '@stratos/protocol';
import { expect, test, vi } from 'vitest';
import { lockNodeState } from '../applying/node-state.ts';
import { inTransaction } from '../database.ts';
import { Author, create, remove } from '../testing/author.ts';
import { followWorld } from '../testing/follow-world.ts';
import { World } from '../testing/world.ts';

const WAIT = { timeout: 30_000, interval: 50 };
/** More frames than are read before their turn. */
const MANY = 5_000;

test('what is taken back is hidden, though more is before it than is read ahead', async () => {
  await using opened = new AsyncDisposableStack();
  const world = opened.use(await World.create());
  const { db, node } = world;
  const rei = await Author.create(toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'));
  const [art, writers] = [node.boundary('art'), node.boundary('writers')];
  node.repos.set(rei.did, () => rei.car());
  await world.enroll(rei);
  await node.membership(rei, ['art', 'writers']);
  node.commit(await rei.commit([create('3kaaa', [art]), create('3kbbb', [writers])]));
  opened.use(await followWorld(world));
  await vi.waitFor(async () => expect(await world.readable()).toHaveLength(2), WAIT);

  const goOn = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const paused = inTransaction(db, async (tx) => {
    await lockNodeState(tx, node.did);
    held.resolve();
    await goOn.promise;
  });
  await held.promise;
  const before = await db.node.findFirstOrThrow();
  node.commit(await rei.post('3kccc', [art]));
  node.onFrame = (frame) => new Array<Uint8Array>(MANY).fill(frame);
  await node.flush();
  node.onFrame = undefined;
  await vi.waitFor(() => expect(node.connections).toHaveLength(2), WAIT);
  node.commit(await rei.commit([remove('3kaaa')]));
  await node.membership(rei, ['art']);
  await node.flush();
  await vi.waitFor(async () => expect(await world.readable()).toEqual(['3kbbb writers']), WAIT);
  await vi.waitFor(async () => {
    expect(await db.membershipBoundary.findMany()).toMatchObject([{ boundary: art }]);
  }, WAIT);
  expect(await db.node.findFirstOrThrow()).toEqual(before);

  goOn.resolve();
  await paused;
  const expected = ['3kbbb writers', '3kccc art'];
  await vi.waitFor(async () => expect(await world.readable()).toEqual(expected), WAIT);
  await vi.waitFor(async () => expect(await db.hold.count()).toBe(0), WAIT);
  expect(await world.refusals()).toEqual([]);
}, 120_000);
