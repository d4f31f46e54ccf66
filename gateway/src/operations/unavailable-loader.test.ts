import { randomBytes } from 'node:crypto';
import { createPrismaClient, type PrismaClient, ReadPool } from '@stratos/prisma';
import { createTestDatabase, statementsOf, type TestDatabase } from '@stratos/prisma/testing';
import {
  type AtUri,
  type Did,
  decodeRecord,
  qualifyBoundary,
  toCid,
  toDid,
} from '@stratos/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cursors } from '../feeds/cursors.ts';
import { NodeCalls } from '../hydration/nodes/node-calls.ts';
import { createNodeRecords } from '../hydration/nodes/node-records.ts';
import { createLogger } from '../logger.ts';
import { deadNodes } from '../testing/dead-nodes.ts';
import { World, type WrittenPost } from '../testing/world.ts';
import { ViewerOperations } from './operations.ts';

const [near, far] = [toDid('did:web:near.test'), toDid('did:web:far.test')];
const [viewer, author] = [toDid('did:plc:viewer'), toDid('did:plc:author')];

let database: TestDatabase;
let owner: PrismaClient;
let reads: ReadPool;
let world: World;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = createPrismaClient(database.url, { poolSize: 2 });
  reads = new ReadPool(database.gatewayUrl, { poolSize: 4 });
  world = new World(owner);
  for (const node of [near, far]) {
    await world.node(node);
    await world.member(viewer, node, [qualifyBoundary(node, 'open')]);
  }
});
afterAll(async () => {
  await reads[Symbol.asyncDispose]();
  await owner.$disconnect();
  await database[Symbol.asyncDispose]();
});

/** Records of the one node; the other does not answer. */
async function records(node: Did, uris: readonly AtUri[]) {
  if (node === far) throw new Error('refused');
  const rows = await owner.post.findMany({ where: { nodeDid: node, uri: { in: [...uris] } } });
  const values = rows.map(async ({ uri, record, cid }) => {
    const value = await decodeRecord(record, toCid(cid));
    return [uri as AtUri, value] as const;
  });
  return new Map(await Promise.all(values));
}

function operations(): ViewerOperations {
  const logger = createLogger('silent');
  const calls = new NodeCalls(logger);
  return new ViewerOperations(viewer, {
    ...{ reads, logger, counter: { refused: 0 }, ahead: deadNodes },
    cursors: new Cursors(randomBytes(32)),
    records: createNodeRecords({ client: { records }, calls, cacheBytes: 1_000_000 }),
  });
}

test('what a node did not give is looked up at once, for all pages of a request', async () => {
  const post = (node: Did, rkey: string, parent?: WrittenPost) =>
    world.post({ author, node, boundaries: [qualifyBoundary(node, 'open')], rkey, parent });
  const root = await post(near, 'root');
  const replies = [await post(near, 'a', root), await post(near, 'b', root)];
  const transactions = async () => {
    const of = operations();
    const asked = await statementsOf(() => of.thread({ uri: root.uri, depth: 2 }));
    return asked.length;
  };
  const without = await transactions();
  for (const [place, reply] of replies.entries()) {
    for (const n of [1, 2]) await post(far, `${place}x${n}`, reply);
    expect(await transactions()).toBe(without + 1);
  }
  const thread = await operations().thread({ uri: root.uri, depth: 2 });
  const pages = thread?.replies?.posts.map((reply) => reply.replies?.page.unavailable.length);
  expect(pages).toEqual([2, 2]);
});
