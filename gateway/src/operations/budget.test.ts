import { randomBytes } from 'node:crypto';
import { createPrismaClient, type PrismaClient, ReadPool } from '@stratos/prisma';
import { createTestDatabase, type TestDatabase } from '@stratos/prisma/testing';
import { type AtUri, qualifyBoundary, toAtUri, toDid } from '@stratos/protocol';
import { MAX_URIS } from '@stratos/schema';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cursors } from '../feeds/cursors.ts';
import { NodeCalls } from '../hydration/nodes/node-calls.ts';
import { createProvenRecords } from '../hydration/nodes/proven-records.ts';
import { createLogger } from '../logger.ts';
import { StubWorld } from '../testing/stub-world.ts';
import { MAX_POSTS_PER_REQUEST } from './budget.ts';
import { ViewerOperations } from './operations.ts';

const node = toDid('did:web:node.test');
const [viewer, author] = [toDid('did:plc:viewer'), toDid('did:plc:author')];
const boundaries = [qualifyBoundary(node, 'open')];
const absent = Array.from({ length: MAX_URIS }, (_, n) =>
  toAtUri(`at://${author}/zone.stratos.feed.post/absent${n}`),
);

let database: TestDatabase;
let owner: PrismaClient;
let reads: ReadPool;
let world: StubWorld;
/** A post of which there is the stub alone, and so of what it answers. */
let ahead: AtUri;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = createPrismaClient(database.url, { poolSize: 2 });
  reads = new ReadPool(database.gatewayUrl, { poolSize: 2 });
  world = new StubWorld(owner);
  await world.node(node);
  await world.members([viewer, author].map((did) => ({ did, node, boundaries })));
  const [parent] = await world.stubs([{ author, node, boundaries, rkey: 'parent' }]);
  const [reply] = await world.stubs([{ author, node, boundaries, rkey: 'reply', parent }]);
  if (!reply) throw new Error('one was written');
  ahead = reply.uri;
});
afterAll(async () => {
  await reads[Symbol.asyncDispose]();
  await owner.$disconnect();
  await database[Symbol.asyncDispose]();
});

function operations(): ViewerOperations {
  const logger = createLogger('silent');
  const records = createProvenRecords({ client: world, calls: new NodeCalls(logger) });
  const cursors = new Cursors(randomBytes(32));
  const counter = { refused: 0 };
  return new ViewerOperations(viewer, { reads, cursors, logger, counter, ahead: records });
}

test.each<[string, number, (of: ViewerOperations) => Promise<unknown>]>([
  ['a post', 1, (of) => of.post({ uri: ahead })],
  ['a post at a node', 1, (of) => of.postAt({ uri: ahead, node })],
  ['posts', MAX_URIS, (of) => of.posts({ uris: absent })],
  ['what is unavailable of posts', MAX_URIS, (of) => of.unavailablePosts({ uris: absent })],
  ['a page', 50, (of) => of.timeline({ first: 50 })],
  ['what a post answers', 10, (of) => of.thread({ uri: ahead, height: 9, depth: 0 })],
  ['what answers a post', 51, (of) => of.thread({ uri: ahead, height: 0, depth: 1, limit: 50 })],
])('%s counts towards what a request may ask for', async (_, posts, ask) => {
  const of = operations();
  for (let spent = posts; spent <= MAX_POSTS_PER_REQUEST; spent += posts) await ask(of);
  const rest = MAX_POSTS_PER_REQUEST % posts;
  await expect(of.timeline({ first: rest + 1 })).rejects.toMatchObject({
    code: 'QUERY_TOO_COMPLEX',
  });
  if (rest > 0) await of.timeline({ first: rest });
});
