import { createPrismaClient, type PrismaClient } from '@stratos/prisma';
import { openScope, type Slice, type Transaction } from '@stratos/prisma/queries';
import {
  createTestDatabase,
  type Examined,
  examine,
  type TestDatabase,
} from '@stratos/prisma/testing';
import { qualifyBoundary, toAtUri, toDid } from '@stratos/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Scope } from '../access/scope.ts';
import { World } from '../testing/world.ts';
import { authorFeedSkeleton } from './author-feed.ts';
import { postsSkeleton } from './posts.ts';
import { timelinePosts } from './timeline.ts';

const node = toDid('did:web:node.test');
const [hidden, shared, quiet] = ['hidden', 'shared', 'quiet'].map((name) =>
  qualifyBoundary(node, name),
) as [ReturnType<typeof qualifyBoundary>, ...ReturnType<typeof qualifyBoundary>[]];
const viewer = toDid('did:plc:viewer');
const scope: Scope = {
  viewer,
  boundaries: new Set([shared, quiet].filter((boundary) => boundary !== undefined)),
};
const author = toDid('did:plc:author');
const POSTS = 20_000;
const VISIBLE_EVERY = 50;

let database: TestDatabase;
let prisma: PrismaClient;
beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient(database.url, { poolSize: 2 });
  const world = new World(prisma);
  await world.node(node);
  await world.actor(author);
  await world.member(viewer, node, [...scope.boundaries]);
  await prisma.$executeRaw`
    insert into stratos_post
      (uri, node_did, cid, did, rkey, rev, record, text, created_at, indexed_at, sort_at, boundaries)
    select 'at://' || ${author} || '/zone.stratos.feed.post/r' || i, ${node}, 'cid', ${author}, 'r' || i,
      'rev', '\\x00', '', at, at, at, array[${hidden}]
    from generate_series(1, ${POSTS}::int) as i, lateral (select now() - i * interval '1 s' as at) as t`;
  await prisma.$executeRaw`
    insert into stratos_post_boundary (boundary, sort_at, uri, node_did, did, cid, indexed_at)
    select case when substring(rkey from 2)::int % ${VISIBLE_EVERY}::int = 0 then ${shared} else ${hidden} end,
      sort_at, uri, node_did, did, cid, indexed_at from stratos_post`;
  await prisma.$executeRaw`
    insert into stratos_actor (did, updated_at)
    select 'did:plc:somebody' || i, now() from generate_series(1, 5000) as i`;
  await prisma.$executeRaw`
    insert into stratos_stub (uri, did, node_did, subject_cid, rev)
    select uri, did, node_did, cid, rev from stratos_post`;
  await prisma.$executeRawUnsafe('analyze');
}, 60_000);
afterAll(async () => {
  await prisma.$disconnect();
  await database[Symbol.asyncDispose]();
});

function examined(query: (transaction: Transaction) => Promise<unknown>): Promise<Examined> {
  return prisma.$transaction(async (transaction) => {
    await openScope(transaction, viewer);
    return examine(transaction, query);
  });
}

const LIMIT = 21;
const deep = {
  sortAt: new Date(Date.now() - (POSTS / 2) * 1000),
  uri: toAtUri(`at://${author}/zone.stratos.feed.post/r1`),
  node,
};

const [first, later] = [undefined, deep].map((after) => ({ after, limit: LIMIT })) as [
  Slice,
  Slice,
];
const ofAuthor = { author, boundary: undefined };

describe.each<[string, (transaction: Transaction) => Promise<unknown>]>([
  ['a timeline', (transaction) => timelinePosts(transaction, { viewer, ...first })],
  ['a timeline, far down', (transaction) => timelinePosts(transaction, { viewer, ...later })],
  ['an author’s feed', (transaction) => authorFeedSkeleton(transaction, scope, ofAuthor, first)],
  [
    'an author’s feed, far down',
    (transaction) => authorFeedSkeleton(transaction, scope, ofAuthor, later),
  ],
])('%s', (_, query) => {
  test('looks at the page alone, however much is hidden', async () => {
    const { scanned, rows, steps } = await examined(query);
    expect(scanned).toEqual([]);
    expect(rows['stratos_post_boundary']).toBeGreaterThan(0);
    expect(rows['stratos_post_boundary']).toBeLessThanOrEqual(scope.boundaries.size * (LIMIT + 1));
    for (const { rows } of steps.filter(({ step }) => step.includes('Sort')))
      expect(rows).toBeLessThanOrEqual(LIMIT * scope.boundaries.size);
  });
});

test('a post that is hidden and one that is not there cost the same', async () => {
  const find = (rkey: string) =>
    examined((transaction) =>
      postsSkeleton(transaction, scope, [toAtUri(`at://${author}/zone.stratos.feed.post/${rkey}`)]),
    );
  const [forHidden, forAbsent] = [await find('r1'), await find('r0')];
  expect(forHidden).toEqual(forAbsent);
  expect(forHidden.rows).toEqual({});
  expect(forHidden.scanned).toEqual([]);
  expect((await find(`r${VISIBLE_EVERY}`)).rows['stratos_post_boundary']).toBe(1);
});
