import { createPrismaClient, Prisma, type PrismaClient } from '@stratos/prisma';
import { createTestDatabase, type TestDatabase } from '@stratos/prisma/testing';
import { qualifyBoundary, toDid } from '@stratos/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { World } from '../testing/world.ts';
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
let prisma: PrismaClient;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = createPrismaClient(database.url, { poolSize: 2 });
  prisma = createPrismaClient(database.gatewayUrl, { poolSize: 1 });
  const world = new World(owner);
  await world.node(node);
  await world.node(silent, { leaseUntil: null });
  await world.member(alice, node, [open]);
  await world.member(alice, silent, [unheard]);
  await world.member(bob, node, [closed, open]);
  await world.post({ author: bob, node, boundaries: [open], rkey: 'open' });
  await world.post({ author: bob, node, boundaries: [closed], rkey: 'closed' });
  await world.post({ author: bob, node: silent, boundaries: [unheard], rkey: 'unheard' });
  await world.post({ author: alice, node, boundaries: [closed], rkey: 'own' });
});
afterAll(async () => {
  await prisma.$disconnect();
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
  const read = readFor(prisma, alice);
  expect(await read(async (_, scope) => scope)).toEqual({
    viewer: alice,
    boundaries: new Set([open]),
  });
  expect(await everything(read)).toEqual(['open', 'own']);
  expect(await everything(readFor(prisma, bob))).toEqual(['closed', 'open', 'own', 'unheard']);
  expect(await everything(readFor(prisma, toDid('did:plc:nobody')))).toEqual([]);
});

test('whoever reads next on the same connection is shown nothing of it', async () => {
  await readFor(prisma, bob)(async () => undefined);
  expect(await prisma.post.count()).toBe(0);
  const failed = readFor(
    prisma,
    bob,
  )((transaction) => transaction.$queryRaw(Prisma.sql`select 1 / 0`));
  await expect(failed).rejects.toThrow('division by zero');
  expect(await prisma.post.count()).toBe(0);
  expect(await prisma.membership.count()).toBe(0);
});

test('the viewer is told before their memberships are read, whatever the plan', async () => {
  const ways = ['hashjoin', 'mergejoin', 'nestloop', 'seqscan', 'indexscan', 'bitmapscan'];
  for (const off of [...ways, 'material', 'memoize']) {
    await prisma.$executeRawUnsafe(`set enable_${off} = off`);
    expect(await everything(readFor(prisma, alice))).toEqual(['open', 'own']);
  }
});
