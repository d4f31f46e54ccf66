import { setTimeout as sleep } from 'node:timers/promises';
import { toDid } from '@stratos/protocol';
import { expect, test, vi } from 'vitest';
import { lockNodeState } from '../applying/node-state.ts';
import { inTransaction } from '../database.ts';
import { Author } from '../testing/author.ts';
import { followWorld } from '../testing/follow-world.ts';
import { bytesOf } from '../testing/lying-node.ts';
import { World } from '../testing/world.ts';

const WAIT = { timeout: 20_000, interval: 20 };
const LOSS = bytesOf({ type: '#info', body: { name: 'OutdatedCursor' } });

test('what came before a loss is applied, though both are told in one breath', async () => {
  await using opened = new AsyncDisposableStack();
  const world = opened.use(await World.create());
  const { db, node } = world;
  const rei = await Author.create(toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'));
  const art = node.boundary('art');
  await world.enroll(rei);
  await node.membership(rei, ['art']);
  node.commit(await rei.genesis());
  const { nodes } = opened.use(await followWorld(world, { fetches: false }));
  await vi.waitFor(() => expect(nodes.status()[node.did]?.cursor).toBe(2), WAIT);

  const goOn = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const paused = inTransaction(db, async (tx) => {
    await lockNodeState(tx, node.did);
    held.resolve();
    await goOn.promise;
  });
  await held.promise;
  node.beats = false;
  node.commit(await rei.post('3kaaa', [art]));
  await node.flush();
  await sleep(200);
  node.commit(await rei.post('3kbbb', [art]));
  node.commit(await rei.post('3kccc', [art]));
  const last = Buffer.from(bytesOf(node.events[4] ?? { type: '', body: {} }));
  node.onFrame = (frame) => (last.equals(frame) ? [frame, LOSS] : [frame]);
  await node.flush();
  await sleep(200);
  goOn.resolve();
  await paused;
  await vi.waitFor(async () => {
    expect(await db.resync.findMany()).toMatchObject([{ did: rei.did, reason: 'outdated' }]);
  }, WAIT);
  expect(await db.post.count()).toBe(3);
  expect(await world.readable()).toEqual([]);
  expect((await db.node.findFirstOrThrow()).streamCursor).toBe(5n);
});
