import { randomBytes } from 'node:crypto';
import { createPrismaClient, type PrismaClient, ReadPool } from '@stratos/prisma';
import { createTestDatabase, statementsOf, type TestDatabase } from '@stratos/prisma/testing';
import { type AtUri, toAtUri, toBoundary, toDid } from '@stratos/protocol';
import { wholePage, wholePost, wholeThread } from '@stratos/schema';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cursors } from '../feeds/cursors.ts';
import { createLogger } from '../logger.ts';
import { deadNodes } from '../testing/dead-nodes.ts';
import { World, type WrittenPost } from '../testing/world.ts';
import { ViewerOperations } from './operations.ts';

const node = toDid('did:web:node.test');
const [viewer, author] = [toDid('did:plc:viewer'), toDid('did:plc:author')];
const open = toBoundary(`${node}/open`);
const closed = toBoundary(`${node}/closed`);
const absent = toAtUri(`at://${author}/zone.stratos.feed.post/absent`);

let database: TestDatabase;
let owner: PrismaClient;
let reads: ReadPool;
let root: WrittenPost;
let deepest: WrittenPost;
let hidden: WrittenPost;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = createPrismaClient(database.url, { poolSize: 2 });
  reads = new ReadPool(database.gatewayUrl, { poolSize: 4 });
  const world = new World(owner);
  await world.node(node);
  await world.member(viewer, node, [open]);
  await world.actor(author, { handle: 'author.test' });
  const facts = { author, node, boundaries: [open] };
  root = await world.post({ ...facts, rkey: 'root', text: 'word' });
  hidden = await world.post({ ...facts, boundaries: [closed], rkey: 'hidden' });
  for (const rkey of ['a', 'b', 'c']) {
    const reply = await world.post({ ...facts, rkey, parent: root, quote: root });
    for (const n of [1, 2, 3]) {
      deepest = await world.post({ ...facts, rkey: `${rkey}${n}`, parent: reply, quote: reply });
    }
  }
});
afterAll(async () => {
  await reads[Symbol.asyncDispose]();
  await owner.$disconnect();
  await database[Symbol.asyncDispose]();
});

const cursors = new Cursors(randomBytes(32));

function operationsOf() {
  const logger = createLogger('silent');
  const counter = { refused: 0 };
  return new ViewerOperations(viewer, { reads, cursors, logger, counter, ahead: deadNodes });
}

type Work = (operations: ViewerOperations) => Promise<unknown>;

/** What an operation asks of the database, by transactions, those that run side by side in any order. */
async function statements(work: Work): Promise<string[]> {
  const transactions = await statementsOf(() => work(operationsOf()));
  return transactions.map((one) => one.join('; ')).sort();
}

const whole = { counts: true };

const OPERATIONS: Record<string, Work> = {
  viewer: (of) => of.viewer(),
  timeline: (of) => of.timeline({}),
  'timeline, again': (of) => of.timeline({}),
  'timeline with quotes and counts': async (of) => wholePage(of, await of.timeline({}), whole),
  authorFeed: (of) => of.authorFeed({ actor: 'author.test' }),
  search: (of) => of.search({ text: 'word' }),
  post: (of) => of.post({ uri: root.uri }),
  posts: (of) => of.posts({ uris: [root.uri, deepest.uri, hidden.uri, absent] }),
  'post with quote and counts': async (of) => {
    const post = await of.post({ uri: deepest.uri });
    return post && wholePost(of, post, whole);
  },
  'thread, its beginning': (of) => of.thread({ uri: root.uri }),
  'thread, its end': (of) => of.thread({ uri: deepest.uri }),
  'thread with quotes and counts': async (of) => {
    const thread = await of.thread({ uri: root.uri });
    return thread && wholeThread(of, thread, whole);
  },
  replies: (of) => of.replies({ uri: root.uri }),
  'the ends of a first page': async (of) => {
    const page = await of.timeline({ first: 2 });
    return [await page.hasNextPage(), await page.hasPreviousPage()];
  },
  'the ends of a later page': async (of) => {
    const { edges } = await of.timeline({ first: 2 });
    const page = await of.timeline({ first: 2, after: edges[1]?.cursor });
    return [await page.hasNextPage(), await page.hasPreviousPage()];
  },
  actor: (of) => of.actor({ actor: 'author.test' }),
  'boundary, boundaries and node': (of) =>
    Promise.all([of.boundary({ boundary: open }), of.boundaries(), of.node({ did: node })]),
};

describe('what is asked of the database, however many posts there are', () => {
  test.each(Object.keys(OPERATIONS))('%s', async (name) => {
    const work = OPERATIONS[name];
    expect(work && (await statements(work))).toMatchSnapshot();
  });
});

test.each<[string, (of: ViewerOperations, uri: AtUri) => Promise<unknown>]>([
  ['a post', (of, uri) => of.post({ uri })],
  ['a post among others', (of, uri) => of.posts({ uris: [root.uri, uri] })],
  ['a thread', (of, uri) => of.thread({ uri })],
  ['the subject of replies', (of, uri) => of.replies({ uri })],
])('%s that is hidden is looked up as one that is not there', async (_, ask) => {
  const [forHidden, forAbsent] = [
    await statements((of) => ask(of, hidden.uri)),
    await statements((of) => ask(of, absent)),
  ];
  expect(forHidden).toEqual(forAbsent);
});

test('an actor who is hidden is looked up as one who is not there', async () => {
  await new World(owner).actor(toDid('did:plc:hidden'), { handle: 'hidden.test' });
  for (const ask of [
    (of: ViewerOperations, actor: string) => of.actor({ actor }),
    (of: ViewerOperations, actor: string) => of.authorFeed({ actor }),
  ]) {
    const [forHidden, forAbsent] = [
      await statements((of) => ask(of, 'hidden.test')),
      await statements((of) => ask(of, 'absent.test')),
    ];
    expect(forHidden).toEqual(forAbsent);
  }
});
