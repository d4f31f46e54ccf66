import { toDid } from '@stratos/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { NodeEvent } from '../applying/node-event.ts';
import { inTransaction, lockActorAtNode, lockReaders, lockWords } from '../database.ts';
import { Turns } from '../followers/turns.ts';
import { Author, create, remove, update } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { showPosts } from '../visibility/readers.ts';
import { Revocations } from './revocations.ts';

let world: World;
let rei: Author;
let art: string;
let writers: string;
let revocations: Revocations;

beforeEach(async () => {
  world = await World.create();
  rei = await Author.create(toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'));
  [art, writers] = [world.node.boundary('art'), world.node.boundary('writers')];
  await world.enroll(rei);
  await world.apply(await world.node.membership(rei, ['art', 'writers']));
  await world.apply(world.node.commit(await rei.genesis()));
  await world.apply(world.node.commit(await rei.post('3kaaa', [art])));
  await world.apply(world.node.commit(await rei.post('3kbbb', [art, writers])));
  const onError = (error: unknown) => expect.unreachable(String(error));
  revocations = new Revocations({
    db: world.db,
    nodeDid: world.node.did,
    turns: new Turns(1),
    onError,
  });
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

/** An event that arrives while others wait to be applied, and is not applied yet. */
async function arrive(event: NodeEvent): Promise<NodeEvent> {
  revocations.arrive(event);
  await revocations[Symbol.asyncDispose]();
  return event;
}

async function memberOf(): Promise<string[]> {
  const rows = await world.db.membershipBoundary.findMany({ orderBy: { boundary: 'asc' } });
  return rows.map(({ boundary }) => boundary);
}

describe('what arrives behind a backlog', () => {
  test('and deletes a record hides it, and so it stays', async () => {
    const waiting = world.node.commit(await rei.post('3kccc', [art]));
    const gone = await arrive(world.node.commit(await rei.commit([remove('3kaaa')])));
    expect(await world.readable()).toEqual(['3kbbb art', '3kbbb writers']);
    await world.apply(waiting);
    expect(await world.readable()).toEqual(['3kbbb art', '3kbbb writers', '3kccc art']);
    await world.apply(gone);
    expect(await world.readable()).toEqual(['3kbbb art', '3kbbb writers', '3kccc art']);
    expect(await world.db.hold.count()).toBe(0);
    expect(await world.db.post.count()).toBe(2);
  });

  test('and moves a record hides it until it is its turn', async () => {
    const moved = world.node.commit(await rei.commit([update('3kbbb', [writers])]));
    await arrive(moved);
    expect(await world.readable()).toEqual(['3kaaa art']);
    await world.apply(moved);
    expect(await world.readable()).toEqual(['3kaaa art', '3kbbb writers']);
  });

  test('and takes a boundary away closes it to its reader, whatever is applied before', async () => {
    const wider = await world.node.membership(rei, ['art', 'extra', 'writers']);
    const less = await world.node.membership(rei, ['writers']);
    revocations.arrive(wider);
    await arrive(less);
    expect(await memberOf()).toEqual([writers]);
    await world.apply(wider);
    expect(await memberOf()).toEqual([writers]);
    await world.apply(less);
    expect(await memberOf()).toEqual([writers]);
    expect(await world.db.hold.count()).toBe(0);
  });

  test('and comes to an end of a membership hides all that was written', async () => {
    const waiting = world.node.commit(await rei.post('3kccc', [art]));
    const left = await arrive(await world.node.membership(rei, [], { active: false }));
    expect(await world.readable()).toEqual([]);
    expect(await memberOf()).toEqual([]);
    expect((await world.apply(waiting)).refusals).toEqual([]);
    expect(await world.readable()).toEqual([]);
    await world.apply(left);
    await world.apply(await world.node.membership(rei, ['art', 'writers']));
    await world.db.resync.deleteMany();
    expect(await world.readable()).toEqual([
      '3kaaa art',
      '3kbbb art',
      '3kbbb writers',
      '3kccc art',
    ]);
  });

  test('and takes nothing away changes nothing', async () => {
    await arrive(await world.node.membership(rei, ['art', 'extra', 'writers']));
    await arrive(world.node.commit(await rei.commit([create('3kccc', [art])])));
    expect(await world.db.hold.count()).toBe(0);
    expect(await world.readable()).toHaveLength(3);
  });

  test('and was said before what is known takes nothing away', async () => {
    await world.apply(await world.node.membership(rei, ['art', 'extra', 'writers']));
    const [first] = world.node.entries;
    await arrive(world.node.membershipBytes(first?.bytes ?? new Uint8Array()));
    expect(await memberOf()).toHaveLength(3);
  });

  test('does not take from an author what was theirs when they wrote', async () => {
    const waiting = world.node.commit(await rei.post('3kccc', [art]));
    await arrive(await world.node.membership(rei, ['writers']));
    expect((await world.apply(waiting)).refusals).toEqual([]);
    expect(await world.readable()).toContain('3kccc art');
  });

  test('is announced at once', async () => {
    const before = await world.db.change.count();
    await arrive(world.node.commit(await rei.commit([remove('3kbbb')])));
    await arrive(await world.node.membership(rei, ['art']));
    const changes = await world.db.change.findMany({ orderBy: { seq: 'asc' }, skip: before });
    expect(changes).toMatchObject([
      { kind: 'gone', did: rei.did, uri: rei.uri('3kbbb') },
      { kind: 'membership', did: rei.did, boundaries: [writers] },
    ]);
    expect(changes[0]?.boundaries.toSorted()).toEqual([art, writers]);
  });
});

test('what is refused in its turn is readable again', async () => {
  const commit = await rei.commit([remove('3kaaa')]);
  const blocks = commit.blocks.toReversed();
  const refused = await arrive(world.node.commit({ ...commit, blocks }));
  expect(await world.readable()).toEqual(['3kbbb art', '3kbbb writers']);
  expect((await world.apply(refused)).refusals).toHaveLength(1);
  expect(await world.readable()).toEqual(['3kaaa art', '3kbbb art', '3kbbb writers']);
  expect(await world.db.hold.count()).toBe(0);
});

test('what never comes is readable again when the node says that there is nothing more', async () => {
  const bogus = { type: '#commit', body: { ...(await rei.commit([remove('3kaaa')])), seq: 1e12 } };
  await arrive(bogus);
  await world.apply(await world.node.heartbeat());
  expect(await world.readable()).not.toContain('3kaaa art');
  await world.applyAll([await world.node.heartbeat()], { ahead: () => [] });
  expect(await world.readable()).toContain('3kaaa art');
});

test('what began to be applied before does not land after it', async () => {
  const { db, node } = world;
  const [began, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await db.postBoundary.deleteMany({ where: { uri: rei.uri('3kaaa') } });
  const applying = inTransaction(db, async (tx) => {
    await lockActorAtNode(tx, rei.did, node.did);
    await showPosts(tx, { nodeDid: node.did, uris: [rei.uri('3kaaa')], dids: [rei.did] });
    began.resolve();
    await goOn.promise;
  });
  await began.promise;
  revocations.arrive(node.commit(await rei.commit([remove('3kaaa')])));
  const placed = revocations[Symbol.asyncDispose]();
  await vi.waitFor(async () => expect(await waitingLocks()).toBe(1));
  goOn.resolve();
  await Promise.all([applying, placed]);
  expect(await world.readable()).toEqual(['3kbbb art', '3kbbb writers']);
});

test('what is applied before and not shown yet keeps nothing back', async () => {
  const { db, node } = world;
  const [began, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await db.postBoundary.deleteMany({ where: { uri: rei.uri('3kbbb') } });
  const applying = inTransaction(db, async (tx) => {
    await lockWords(tx, [rei.did], node.did);
    began.resolve();
    await goOn.promise;
    await lockReaders(tx, [rei.did], node.did);
    await showPosts(tx, { nodeDid: node.did, uris: [rei.uri('3kbbb')], dids: [rei.did] });
  });
  await began.promise;
  await arrive(node.commit(await rei.commit([remove('3kbbb'), remove('3kaaa')])));
  expect(await world.db.hold.count()).toBe(2);
  goOn.resolve();
  await applying;
  expect(await world.readable()).toEqual([]);
});

async function waitingLocks(): Promise<number> {
  const [row] = await world.db.$queryRaw<{ count: number }[]>`
    select count(*)::int as count from pg_locks
    where not granted and locktype = 'advisory'
      and database = (select oid from pg_database where datname = current_database())`;
  return row?.count ?? 0;
}

test('a node that floods is put ahead a thousand times and no more', async () => {
  for (let seq = 1; seq <= 3_000; seq++) {
    const ops = [{ action: 'delete', path: `zone.stratos.feed.post/${seq}` }];
    revocations.arrive({ type: '#commit', body: { did: rei.did, seq: 1_000 + seq, ops } });
  }
  await revocations[Symbol.asyncDispose]();
  expect(await world.db.hold.count()).toBe(1_000);
  revocations.applied(1_500);
  await arrive({
    type: '#commit',
    body: {
      did: rei.did,
      seq: 9_000,
      ops: [{ action: 'delete', path: 'zone.stratos.feed.post/x' }],
    },
  });
  expect(await world.db.hold.count()).toBe(1_001);
});
