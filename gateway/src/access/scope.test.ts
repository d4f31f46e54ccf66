import { createPrismaClient, Prisma, type PrismaClient, ReadPool } from '@stratos/prisma';
import type { Transaction } from '@stratos/prisma/queries';
import { createTestDatabase, type TestDatabase } from '@stratos/prisma/testing';
import { qualifyBoundary, toDid } from '@stratos/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { timelinePosts } from '../feeds/timeline.ts';
import { World, type WrittenPost } from '../testing/world.ts';
import { readFor, type ScopedRead } from './scope.ts';

const node = toDid('did:web:node.test');
const silent = toDid('did:web:silent.test');
const alice = toDid('did:plc:alice');
const bob = toDid('did:plc:bob');
const open = qualifyBoundary(node, 'open');
const closed = qualifyBoundary(node, 'closed');
const unheard = qualifyBoundary(silent, 'unheard');

let database: TestDatabase;
let owner: PrismaClient;
let reads: ReadPool;
let postOfBob: WrittenPost;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = createPrismaClient(database.url, { poolSize: 2 });
  reads = new ReadPool(database.gatewayUrl, { poolSize: 1 });
  const world = new World(owner);
  await world.node(node);
  await world.node(silent, { leaseUntil: null });
  await world.member(alice, node, [open]);
  await world.member(alice, silent, [unheard]);
  await world.member(bob, node, [closed, open]);
  postOfBob = await world.post({ author: bob, node, boundaries: [open], rkey: 'open' });
  await world.post({ author: bob, node, boundaries: [closed], rkey: 'closed' });
  await world.post({ author: bob, node: silent, boundaries: [unheard], rkey: 'unheard' });
  await world.post({ author: alice, node, boundaries: [closed], rkey: 'own' });
});
afterAll(async () => {
  await reads[Symbol.asyncDispose]();
  await owner.$disconnect();
  await database[Symbol.asyncDispose]();
});

/** What the database shows to a query that filters nothing. */
const everything = (read: ScopedRead) =>
  read(async (transaction) => {
    const posts = await transaction.$queryRaw<{ rkey: string }[]>(
      Prisma.sql`select rkey from stratos_post order by rkey`,
    );
    return posts.map(({ rkey }) => rkey);
  });

test('the boundaries of nodes that are heard are open, and the database shows no more', async () => {
  const read = readFor(reads, alice);
  expect(await read(async (_, scope) => scope)).toEqual({
    viewer: alice,
    boundaries: new Set([open]),
  });
  expect(await everything(read)).toEqual(['open', 'own']);
  expect(await everything(readFor(reads, bob))).toEqual(['closed', 'open', 'own', 'unheard']);
  expect(await everything(readFor(reads, toDid('did:plc:nobody')))).toEqual([]);
});

test('whoever reads next on the same connection is shown nothing of it', async () => {
  await readFor(reads, bob)(async () => undefined);
  expect(await rowsInSight()).toEqual({ posts: 0, memberships: 0 });
  const divide = (transaction: Transaction) => transaction.$queryRaw(Prisma.sql`select 1 / 0`);
  await expect(readFor(reads, bob)(divide)).rejects.toThrow('division by zero');
  expect(await rowsInSight()).toEqual({ posts: 0, memberships: 0 });
  await timelinePosts(reads, { viewer: bob, after: undefined, limit: 10 });
  expect(await rowsInSight()).toEqual({ posts: 0, memberships: 0 });
});

/** Of the tables as they are, with no scope open. */
async function rowsInSight() {
  const [row] = await reads.$queryRaw<{ posts: number; memberships: number }[]>(Prisma.sql`
    select (select count(*) from stratos_post)::int as posts,
      (select count(*) from stratos_membership)::int as memberships`);
  return row;
}

test('the viewer is told before their memberships are read, whatever the plan', async () => {
  const ways = ['hashjoin', 'mergejoin', 'nestloop', 'seqscan', 'indexscan', 'bitmapscan'];
  for (const off of [...ways, 'material', 'memoize']) {
    await reads.$queryRaw(Prisma.sql`select set_config(${`enable_${off}`}, 'off', false)`);
    expect(await everything(readFor(reads, alice))).toEqual(['open', 'own']);
    const { scope, posts } = await timelinePosts(reads, {
      ...{ viewer: alice, after: undefined, limit: 10 },
    });
    expect(scope).toEqual({ viewer: alice, boundaries: new Set([open]) });
    expect(posts.map(({ candidate }) => candidate.uri)).toEqual([postOfBob.uri]);
  }
});
