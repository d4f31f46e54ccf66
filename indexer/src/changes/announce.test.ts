import { SigningKey, toDid } from '@stratos/protocol';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { inTransaction } from '../database.ts';
import { Author, create, remove, update } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { announce, CHANNEL } from './announce.ts';

let world: World;
let rei: Author;
let art: string;
let writers: string;

beforeEach(async () => {
  world = await World.create();
  rei = await Author.create(toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'));
  [art, writers] = [world.node.boundary('art'), world.node.boundary('writers')];
  await world.enroll(rei);
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

let told = 0n;
beforeEach(() => {
  told = 0n;
});

/** What was announced since the last time: kind, record or person, boundaries by their names. */
async function news(): Promise<string[]> {
  const rows = await world.db.change.findMany({
    where: { seq: { gt: told } },
    orderBy: { seq: 'asc' },
  });
  told = rows.at(-1)?.seq ?? told;
  return rows.map(({ kind, uri, boundaries }) => {
    const names = boundaries.map((boundary) => boundary.split('/').at(-1)).toSorted();
    return [kind, uri?.split('/').at(-1), ...names].filter((part) => part !== undefined).join(' ');
  });
}

test('what readers see from here on, and what no more, is announced', async () => {
  await world.apply(await world.node.membership(rei, ['art', 'writers']));
  expect(await news()).toEqual(['membership art writers']);
  await world.apply(world.node.commit(await rei.post('3kaaa', [art, writers])));
  expect(await news()).toEqual(['post 3kaaa art writers']);
  await world.apply(world.node.commit(await rei.commit([update('3kaaa', [art])])));
  expect((await news()).toSorted()).toEqual(['gone 3kaaa writers', 'post 3kaaa art']);
  await world.apply(world.node.commit(await rei.commit([remove('3kaaa'), create('3kbbb', [art])])));
  expect((await news()).toSorted()).toEqual(['gone 3kaaa art', 'post 3kbbb art']);
  await world.apply(await world.node.membership(rei, ['art']));
  expect(await news()).toEqual(['membership writers']);
  await world.apply(await world.node.membership(rei, [], { active: false }));
  expect((await news()).toSorted()).toEqual(['gone 3kbbb art', 'membership art']);
});

test('what happens to posts at once is announced in the order of their keys', async () => {
  await world.apply(await world.node.membership(rei, ['art', 'writers']));
  await news();
  const keys = ['3kddd', '3kaaa', '3kccc', '3kbbb'];
  await world.apply(world.node.commit(await rei.commit(keys.map((key) => create(key, [art])))));
  expect(await news()).toEqual(keys.toSorted().map((key) => `post ${key} art`));
  const moves = keys.map((key) => update(key, [writers]));
  await world.apply(world.node.commit(await rei.commit(moves)));
  expect(await news()).toEqual(
    keys.toSorted().flatMap((key) => [`gone ${key} art`, `post ${key} writers`]),
  );
});

test('what the PDS side shows or hides is announced as well', async () => {
  await world.apply(await world.node.membership(rei, ['art']));
  await world.apply(world.node.commit(await rei.post('3kaaa', [art])));
  await news();
  await world.firehose(world.unenrollment(rei));
  expect(await news()).toEqual(['gone 3kaaa art']);
  await world.enroll(rei);
  expect(await news()).toEqual(['post 3kaaa art']);
  await world.enroll(rei, SigningKey.generate('P-256').did());
  expect(await news()).toEqual(['gone 3kaaa art']);
});

test('what changes nothing for readers is not announced', async () => {
  await world.apply(await world.node.membership(rei, ['art']));
  await news();
  await world.apply(await world.node.membership(rei, ['art']));
  await world.enroll(rei);
  await world.apply(world.node.commit(await rei.post('3kaaa', ['did:web:other.example/art'])));
  expect(await news()).toEqual([]);
});

test('a node whose lease begins anew is announced, and not each heartbeat', async () => {
  await world.apply(await world.node.heartbeat());
  await world.apply(await world.node.heartbeat());
  expect(await news()).toEqual(['node']);
  await world.db.node.updateMany({ data: { leaseUntil: new Date(0) } });
  await world.apply(await world.node.heartbeat());
  expect(await news()).toEqual(['node']);
});

test('whoever listens hears the newest number', async () => {
  const client = new Client(world.url);
  await client.connect();
  const heard: string[] = [];
  client.on('notification', ({ payload }) => heard.push(payload ?? ''));
  await client.query(`listen ${CHANNEL}`);
  await world.apply(await world.node.membership(rei, ['art']));
  await world.apply(world.node.commit(await rei.post('3kaaa', [art])));
  const { seq } = await world.db.change.findFirstOrThrow({ orderBy: { seq: 'desc' } });
  await vi.waitFor(() => expect(heard.at(-1)).toBe(String(seq)));
  await client.end();
});

test('numbers become visible in their order', async () => {
  const { db, node } = world;
  const [first, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow = inTransaction(db, async (tx) => {
    await announce(tx, [{ kind: 'node', nodeDid: node.did }]);
    first.resolve();
    await goOn.promise;
  });
  await first.promise;
  let isDone = false;
  const fast = inTransaction(db, (tx) => announce(tx, [{ kind: 'node', nodeDid: node.did }])).then(
    () => {
      isDone = true;
    },
  );
  await vi.waitFor(async () => expect(await waitingTurns()).toBe(1));
  expect(isDone).toBe(false);
  expect(await db.change.count()).toBe(0);
  goOn.resolve();
  await Promise.all([slow, fast]);
  expect(await db.change.count()).toBe(2);
});

async function waitingTurns(): Promise<number> {
  const [row] = await world.db.$queryRaw<{ count: number }[]>`
    select count(*)::int as count from pg_locks
    where not granted and locktype = 'advisory'
      and database = (select oid from pg_database where datname = current_database())`;
  return row?.count ?? 0;
}
