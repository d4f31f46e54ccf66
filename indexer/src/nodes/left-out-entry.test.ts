import { toDid } from '@stratos/protocol';
import { expect, test, vi } from 'vitest';
import { Author } from '../testing/author.ts';
import { followWorld } from '../testing/follow-world.ts';
import { World } from '../testing/world.ts';

const WAIT = { timeout: 20_000, interval: 20 };

test('an entry that a stream leaves out is read from the log, and closes nobody out for good', async () => {
  await using opened = new AsyncDisposableStack();
  const world = opened.use(await World.create());
  const { db, node } = world;
  const rei = await Author.create(toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'));
  await world.enroll(rei);
  await node.membership(rei, ['art', 'writers']);
  const { nodes } = opened.use(await followWorld(world));
  await vi.waitFor(() => expect(nodes.status()[node.did]?.cursor).toBe(1), WAIT);

  node.onFrame = (frame) => (Buffer.from(frame).includes('#membership') ? [] : [frame]);
  await node.membership(rei, ['art']);
  await node.flush();
  node.commit(await rei.genesis());
  await node.flush();
  await vi.waitFor(async () => {
    const held = await db.membershipBoundary.findMany();
    expect(held.map(({ boundary }) => boundary)).toEqual([node.boundary('art')]);
  }, WAIT);
  await vi.waitFor(() => expect(nodes.status()[node.did]?.cursor).toBe(3), WAIT);
  expect(await db.quarantined.findMany()).toMatchObject([{ reason: 'heartbeat:broken-chain' }]);
});
