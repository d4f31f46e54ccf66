import { randomBytes } from 'node:crypto';
import { createPrismaClient, Prisma, type PrismaClient, ReadPool } from '@stratos/prisma';
import { createTestDatabase, type TestDatabase } from '@stratos/prisma/testing';
import { type Boundary, type Did, isAtUri, toDid } from '@stratos/protocol';
import type { PageInput, PostView, VisiblePostPage } from '@stratos/schema';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFor } from '../access/scope.ts';
import { Cursors } from '../feeds/cursors.ts';
import { createLogger } from '../logger.ts';
import { deadNodes } from '../testing/dead-nodes.ts';
import {
  keyOf,
  type OraclePost,
  type OracleWorld,
  oracleAncestors,
  oracleFeed,
  oracleProfile,
  oracleReferences,
  oracleScope,
  oracleShown,
} from '../testing/oracle.ts';
import { anyWorld, BOUNDARIES, buildWorld, WORDS } from '../testing/random-world.ts';
import { ViewerOperations } from './operations.ts';

const people = ['ada', 'bea', 'cid', 'dov'].map((name) => toDid(`did:plc:${name}`));
const cursors = new Cursors(randomBytes(32));

let database: TestDatabase;
let prisma: PrismaClient;
let ofGateway: ReadPool;
beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient(database.url, { poolSize: 4 });
  ofGateway = new ReadPool(database.gatewayUrl, { poolSize: 4, keepsPlans: true });
});
afterAll(async () => {
  await prisma.$disconnect();
  await ofGateway[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const pageSizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });

function operationsOf(viewer: Did) {
  const logger = createLogger('silent');
  const counter = { refused: 0 };
  const options = { reads: ofGateway, cursors, logger, counter, ahead: deadNodes };
  return new ViewerOperations(viewer, options);
}

type Ask = (page: PageInput, of: ViewerOperations) => Promise<VisiblePostPage>;

/** A whole feed, page by page, which is the same from its beginning and from its end. */
async function readAll(viewer: Did, sizes: number[], ask: Ask): Promise<PostView[]> {
  const posts = await readForward(viewer, sizes, ask);
  const backward = await readBackward(viewer, sizes, ask);
  expect(backward.map(keyOf)).toEqual(posts.map(keyOf));
  return posts;
}

async function readForward(viewer: Did, sizes: number[], ask: Ask): Promise<PostView[]> {
  const posts: PostView[] = [];
  let after: string | undefined;
  for (let i = 0; ; i++) {
    const first = sizes[i % sizes.length] ?? 1;
    const page = await ask({ first, after }, operationsOf(viewer));
    const hasNextPage = await page.hasNextPage();
    expect(await page.hasPreviousPage()).toBe(posts.length > 0);
    if (hasNextPage) expect(page.edges.length).toBe(first);
    posts.push(...page.edges.map(({ node }) => node));
    if (!hasNextPage) return posts;
    after = page.edges.at(-1)?.cursor;
  }
}

async function readBackward(viewer: Did, sizes: number[], ask: Ask): Promise<PostView[]> {
  const posts: PostView[] = [];
  let before: string | undefined;
  for (let i = 0; ; i++) {
    const last = sizes[i % sizes.length] ?? 1;
    const page = await ask({ last, before }, operationsOf(viewer));
    const hasPreviousPage = await page.hasPreviousPage();
    expect(await page.hasNextPage()).toBe(posts.length > 0);
    if (hasPreviousPage) expect(page.edges.length).toBe(last);
    posts.unshift(...page.edges.map(({ node }) => node));
    if (!hasPreviousPage) return posts;
    before = page.edges[0]?.cursor;
  }
}

function expectFeed(posts: PostView[], expected: Map<string, Boundary[]>, world: OracleWorld) {
  const seen = posts.map((post) => [keyOf(post), [...post.boundaries].sort()] as const);
  expect(seen.length).toBe(expected.size);
  expect(new Map(seen)).toEqual(expected);
  const timeOf = (view: PostView) =>
    world.posts.find((post) => keyOf(post) === keyOf(view))?.at.getTime() ?? 0;
  const times = posts.map(timeOf);
  expect(times).toEqual([...times].sort((a, b) => b - a));
}

test('every viewer is answered what the oracle says, in pages of any size', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyWorld(people),
      pageSizes,
      fc.constantFrom(...BOUNDARIES),
      fc.subarray(WORDS, { minLength: 1 }),
      async (sketch, pages, boundary, words) => {
        const world = await buildWorld(prisma, people, sketch);
        for (const viewer of people) {
          const { boundaries: scope } = await operationsOf(viewer).viewer();
          expect([...scope].sort()).toEqual(oracleScope(world, viewer).sort());
          for (const within of [undefined, boundary]) {
            const timeline = await readAll(viewer, pages, (page, operations) =>
              operations.timeline({ ...page, boundary: within }),
            );
            expectFeed(timeline, oracleFeed(world, { viewer, boundary: within }), world);
            const found = await readForward(viewer, pages, (page, operations) =>
              operations.search({ ...page, boundary: within, text: words.join(' ') }),
            );
            expectFeed(found, oracleFeed(world, { viewer, boundary: within, words }), world);
            for (const actor of people) {
              const feed = await readAll(viewer, pages, (page, operations) =>
                operations.authorFeed({ ...page, actor, boundary: within }),
              );
              expectFeed(feed, oracleFeed(world, { viewer, actor, boundary: within }), world);
            }
          }
          await expectPosts(world, viewer, pages);
          await expectProfiles(world, viewer);
          await expectRowSecurity(world, viewer);
        }
      },
    ),
    { numRuns: 10 },
  );
}, 240_000);

/** The second line of defence: what the database shows to a query without any filter is the same. */
async function expectRowSecurity(world: OracleWorld, viewer: Did): Promise<void> {
  const read = readFor(ofGateway, viewer);
  const rows = await read((transaction) =>
    transaction.$queryRaw<{ uri: string; nodeDid: string }[]>(
      Prisma.sql`select uri, node_did as "nodeDid" from stratos_post`,
    ),
  );
  const shown = world.posts.filter((post) => oracleShown(world, viewer, post));
  expect(rows.map(({ uri, nodeDid }) => `${nodeDid} ${uri}`).sort()).toEqual(
    shown.map(keyOf).sort(),
  );
}

async function expectPosts(world: OracleWorld, viewer: Did, pages: number[]): Promise<void> {
  const operations = operationsOf(viewer);
  const best = (uri: string | undefined) =>
    world.posts
      .filter((post) => post.uri === uri && oracleShown(world, viewer, post))
      .sort((a, b) => (a.node < b.node ? -1 : 1))[0];
  const uris = [...new Set(world.posts.map(({ uri }) => uri))].filter(isAtUri);
  const asked = await operationsOf(viewer).posts({ uris });
  expect(asked.map((post) => post && keyOf(post))).toEqual(uris.map((uri) => nullable(best(uri))));
  for (const { uri, node } of world.posts.filter(hasUri)) {
    const held = await operations.postAt({ uri, node });
    const post = world.posts.find((one) => one.uri === uri && one.node === node);
    expect(held !== null).toBe(
      post !== undefined && oracleShown(world, viewer, post) !== undefined,
    );
  }
  for (const uri of uris) {
    const expected = best(uri);
    const thread = await operationsOf(viewer).thread({ uri });
    expect(nullable(thread?.post)).toEqual(nullable(expected));
    const replies = await readAll(viewer, pages, (page, of) => of.replies({ ...page, uri }));
    const answers = oracleReferences(world, viewer, 'parent', uri);
    expect(replies.map(keyOf)).toEqual(answers);
    if (!thread || !expected) continue;
    expect(thread.ancestors.map(keyOf)).toEqual(oracleAncestors(world, viewer, expected, 10));
    expect(thread.replies?.posts.map(({ post }) => keyOf(post))).toEqual(answers.slice(0, 10));
    expect(nullable(await operations.quoted(thread.post))).toBe(nullable(best(expected.quote)));
    expect(await operations.counts(thread.post)).toEqual({
      replyCount: answers.length,
      quoteCount: oracleReferences(world, viewer, 'quote', uri).length,
    });
  }
}

async function expectProfiles(world: OracleWorld, viewer: Did): Promise<void> {
  for (const actor of people) {
    const profile = await operationsOf(viewer).actor({ actor });
    const expected = oracleProfile(world, viewer, actor);
    expect(
      profile && new Map(profile.boundaries.map((one) => [one.boundary, one.postCount])),
    ).toEqual(expected ?? null);
  }
  const boundaries = await operationsOf(viewer).boundaries();
  const own = world.members.filter(({ did, active }) => did === viewer && active);
  expect(boundaries.map(({ uri }) => uri).sort()).toEqual(
    own.flatMap((member) => member.boundaries).sort(),
  );
  const open = boundaries.filter(({ isOpen }) => isOpen).map(({ uri }) => uri);
  expect(open.sort()).toEqual(oracleScope(world, viewer).sort());
}

function nullable(post: { node: string; uri: string } | null | undefined): string | null {
  return post ? keyOf(post) : null;
}

function hasUri(post: OraclePost): post is OraclePost & { uri: PostView['uri'] } {
  return isAtUri(post.uri);
}
