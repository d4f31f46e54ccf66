import { randomBytes } from 'node:crypto';
import { createPrismaClient, type PrismaClient } from '@stratos/prisma';
import { createTestDatabase, type TestDatabase } from '@stratos/prisma/testing';
import { type Boundary, type Did, isAtUri, qualifyBoundary, toDid } from '@stratos/protocol';
import type { PostView, VisiblePostPage } from '@stratos/schema';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFor } from '../access/scope.ts';
import { Cursors } from '../feeds/cursors.ts';
import { createLogger } from '../logger.ts';
import {
  type OraclePost,
  type OracleWorld,
  oracleFeed,
  oracleScope,
  oracleShown,
} from '../testing/oracle.ts';
import { World } from '../testing/world.ts';
import { ViewerOperations } from './operations.ts';

const nodes = ['one', 'two', 'three'].map((name) => toDid(`did:web:${name}.test`));
const people = ['ada', 'bea', 'cid', 'dov'].map((name) => toDid(`did:plc:${name}`));
const names = ['red', 'green', 'blue'];
const cursors = new Cursors(randomBytes(32));

let database: TestDatabase;
let prisma: PrismaClient;
let ofGateway: PrismaClient;
beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient(database.url, { poolSize: 4 });
  ofGateway = createPrismaClient(database.gatewayUrl, { poolSize: 4 });
});
afterAll(async () => {
  await prisma.$disconnect();
  await ofGateway.$disconnect();
  await database[Symbol.asyncDispose]();
});

const anyNode = fc.constantFrom(...nodes);
const anyPerson = fc.constantFrom(...people);
const anyNames = fc.subarray(names);

const anyWorld = fc.record({
  heard: fc.subarray(nodes, { minLength: 1 }),
  inactive: fc.subarray(people, { maxLength: 1 }),
  members: fc.uniqueArray(
    fc.record({
      did: anyPerson,
      node: anyNode,
      names: anyNames,
    }),
    { selector: ({ did, node }) => `${did} ${node}`, minLength: 3, maxLength: 12 },
  ),
  suspended: fc.nat(11),
  posts: fc.uniqueArray(
    fc.record({
      author: anyPerson,
      node: anyNode,
      names: fc.subarray(names, { minLength: 1 }),
      published: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
      rkey: fc.nat(8),
      second: fc.nat(10),
    }),
    { selector: ({ author, node, rkey }) => `${author} ${node} ${rkey}`, maxLength: 25 },
  ),
});

async function build(sketch: typeof anyWorld extends fc.Arbitrary<infer T> ? T : never) {
  await prisma.$executeRawUnsafe(
    'truncate stratos_node, stratos_actor, stratos_stub, stratos_membership, stratos_post cascade',
  );
  const db = new World(prisma);
  const world: OracleWorld = {
    heard: new Set(sketch.heard),
    inactive: new Set(sketch.inactive),
    members: [],
    posts: [],
  };
  for (const node of nodes) {
    const leaseUntil = new Date(Date.now() + (world.heard.has(node) ? 600_000 : -1));
    await db.node(node, { leaseUntil });
  }
  for (const did of people) await db.actor(did, { active: !world.inactive.has(did) });
  for (const [i, { did, node, names: own }] of sketch.members.entries()) {
    const active = i !== sketch.suspended;
    const boundaries = own.map((name) => qualifyBoundary(node, name));
    world.members.push({ did, node, boundaries, active });
    await db.member(did, node, boundaries, active);
  }
  for (const { author, node, names: own, published, rkey, second } of sketch.posts) {
    const boundaries = own.map((name) => qualifyBoundary(node, name));
    const at = new Date(Date.UTC(2026, 0, 1, 0, 0, second));
    const { uri } = await db.post({
      author,
      node,
      boundaries,
      rkey: `r${rkey}`,
      at,
      readers: published && !world.inactive.has(author) ? boundaries : [],
    });
    world.posts.push({ uri, author, node, boundaries, published, at });
  }
  return world;
}

function operationsOf(viewer: Did) {
  const logger = createLogger('silent');
  const options = { prisma: ofGateway, cursors, logger, counter: { refused: 0 } };
  return new ViewerOperations(viewer, options);
}

async function readAll(
  viewer: Did,
  sizes: number[],
  ask: (
    page: { first: number; after?: string | undefined },
    of: ViewerOperations,
  ) => Promise<VisiblePostPage>,
): Promise<PostView[]> {
  const posts: PostView[] = [];
  let after: string | undefined;
  for (let i = 0; ; i++) {
    const first = sizes[i % sizes.length] ?? 1;
    const page = await ask({ first, after }, operationsOf(viewer));
    if (page.hasNextPage) expect(page.edges.length).toBe(first);
    posts.push(...page.edges.map(({ node }) => node));
    if (!page.hasNextPage) return posts;
    after = page.edges.at(-1)?.cursor;
  }
}

function expectFeed(posts: PostView[], expected: Map<string, Boundary[]>, world: OracleWorld) {
  const seen = posts.map(({ node, uri, boundaries }) => [`${node} ${uri}`, [...boundaries].sort()]);
  expect(seen.length).toBe(expected.size);
  expect(new Map(seen as [string, Boundary[]][])).toEqual(expected);
  const timeOf = (view: PostView) =>
    world.posts.find(({ node, uri }) => node === view.node && uri === view.uri)?.at.getTime() ?? 0;
  const times = posts.map(timeOf);
  expect(times).toEqual([...times].sort((a, b) => b - a));
}

test('every viewer is answered what the oracle says, in pages of any size', async () => {
  const boundaries = nodes.flatMap((node) => names.map((name) => qualifyBoundary(node, name)));
  const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(
      anyWorld,
      sizes,
      fc.constantFrom(...boundaries),
      async (sketch, pages, boundary) => {
        const world = await build(sketch);
        for (const viewer of people) {
          const { boundaries: scope } = await operationsOf(viewer).viewer();
          expect([...scope].sort()).toEqual(oracleScope(world, viewer).sort());
          for (const within of [undefined, boundary]) {
            const timeline = await readAll(viewer, pages, (page, operations) =>
              operations.timeline({ ...page, boundary: within }),
            );
            expectFeed(timeline, oracleFeed(world, { viewer, boundary: within }), world);
            for (const actor of people) {
              const feed = await readAll(viewer, pages, (page, operations) =>
                operations.authorFeed({ ...page, actor, boundary: within }),
              );
              expectFeed(feed, oracleFeed(world, { viewer, actor, boundary: within }), world);
            }
          }
          await expectPosts(world, viewer);
          await expectRowSecurity(world, viewer);
        }
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);

/** The second line of defence: what the database shows to a query without any filter is the same. */
async function expectRowSecurity(world: OracleWorld, viewer: Did): Promise<void> {
  const read = readFor(ofGateway, viewer);
  const rows = await read((transaction) =>
    transaction.post.findMany({ select: { uri: true, nodeDid: true } }),
  );
  const shown = world.posts.filter((post) => oracleShown(world, viewer, post));
  const keys = shown.map(({ uri, node }) => `${node} ${uri}`).sort();
  expect(rows.map(({ uri, nodeDid }) => `${nodeDid} ${uri}`).sort()).toEqual(keys);
}

async function expectPosts(world: OracleWorld, viewer: Did): Promise<void> {
  const operations = operationsOf(viewer);
  const byUri = Map.groupBy(world.posts, ({ uri }) => uri);
  for (const [uri, held] of byUri) {
    if (!isAtUri(uri)) throw new Error('not a URI');
    const visible = held
      .filter((post: OraclePost) => oracleShown(world, viewer, post))
      .sort((a, b) => (a.node < b.node ? -1 : 1));
    const post = await operations.post({ uri });
    expect(post?.node).toBe(visible[0]?.node);
    for (const { node } of held) {
      const one = await operations.postAt({ uri, node });
      expect(one !== null).toBe(visible.some((other) => other.node === node));
    }
  }
}
