import { setTimeout as sleep } from 'node:timers/promises';
import { toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyEvent } from '../applying/apply-event.ts';
import { inTransaction, lockActorAtNode } from '../database.ts';
import { TakenOverError } from '../followers/fence.ts';
import { Author } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { refreshReaders } from '../visibility/readers.ts';
import { acceptRestored } from './accept-restored.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');

let world: World;
let rei: Author;

beforeEach(async () => {
  world = await World.create();
  rei = await Author.create(REI);
  await world.enroll(rei);
  await world.apply(await world.node.membership(rei, ['art']));
  await world.apply(world.node.commit(await rei.post('3kaaa', [world.node.boundary('art')])));
  expect(await world.readable()).toEqual(['3kaaa art']);
});
afterEach(() => world[Symbol.asyncDispose]());

test('what was known of its people stays hidden until their repos are fetched', async () => {
  const { node, db } = world;
  await acceptRestored(db, node.did);
  expect(await world.readable()).toEqual([]);
  const [membership] = node.events;
  if (!membership) throw new Error('no event');
  await world.apply(membership);
  expect(await db.membership.findMany()).toMatchObject([{ active: true, seq: 1n }]);
  expect(await world.readable()).toEqual([]);
  expect(await db.resync.findMany()).toMatchObject([{ did: REI, reason: 'outdated' }]);
});

test('an indexer that is following it can write no more, and has to begin again', async () => {
  const { node, db } = world;
  const fence = { follower: 'first', epoch: 1n };
  await db.node.updateMany({ data: { follower: fence.follower, followEpoch: fence.epoch } });
  const source = { db, fence, nodeDid: node.did, keys: [node.key.did()], leaseSeconds: 60 };
  const commit = node.commit(await rei.post('3kbbb', [node.boundary('art')]));
  await acceptRestored(db, node.did);
  await expect(applyEvent(source, commit)).rejects.toThrow(TakenOverError);
});

test('nothing is shown by whoever was about to at that moment', async () => {
  const { node, db } = world;
  await world.firehose(world.unenrollment(rei));
  expect(await world.readable()).toEqual([]);
  const waiting = Promise.withResolvers<void>();
  const shown = Promise.withResolvers<void>();
  const { signingKey } = await db.membership.findFirstOrThrow();
  const showing = inTransaction(db, async (tx) => {
    await tx.enrollment.create({
      data: {
        ...{ did: REI, nodeDid: node.did, rkey: 'x', serviceUrl: node.url, rev: '3k' },
        ...{ signingKey, enrolledAt: new Date() },
      },
    });
    await refreshReaders(tx, REI, node.did);
    shown.resolve();
    await waiting.promise;
  });
  await shown.promise;
  const accepting = acceptRestored(db, node.did);
  await sleep(300);
  waiting.resolve();
  await Promise.all([showing, accepting]);
  expect(await world.readable()).toEqual([]);
});

test('a repo that is just being taken over leaves nothing of it', async () => {
  const { node, db } = world;
  const at = { did: REI, nodeDid: node.did };
  await db.resync.create({ data: { ...at, reason: 'operator' } });
  const waiting = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const takingOver = inTransaction(db, async (tx) => {
    await lockActorAtNode(tx, REI, node.did);
    locked.resolve();
    await waiting.promise;
    await tx.repo.upsert({
      where: { did_nodeDid: at },
      create: { ...at, rev: '3zzzzzzzzzzzz', commit: 'bafya', data: 'bafyb' },
      update: {},
    });
  });
  await locked.promise;
  const accepting = acceptRestored(db, node.did);
  await sleep(300);
  waiting.resolve();
  await Promise.all([takingOver, accepting]);
  expect(await db.repo.count()).toBe(0);
});

test('gateways are told', async () => {
  const { seq } = await world.db.change.findFirstOrThrow({ orderBy: { seq: 'desc' } });
  await acceptRestored(world.db, world.node.did);
  const changes = await world.db.change.findMany({ where: { seq: { gt: seq } } });
  expect(changes.map(({ kind }) => kind).sort()).toEqual(['gone', 'membership', 'node']);
});
