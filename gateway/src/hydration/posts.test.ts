import { createPrismaClient, type PrismaClient, ReadPool } from '@stratos/prisma';
import { createTestDatabase, type TestDatabase } from '@stratos/prisma/testing';
import { encodeRecord, qualifyBoundary, toAtUri, toDid } from '@stratos/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFor } from '../access/scope.ts';
import { createLogger } from '../logger.ts';
import { World, type WrittenPost } from '../testing/world.ts';
import { createPostHydrator, readPosts } from './posts.ts';

const node = toDid('did:web:node.test');
const author = toDid('did:plc:author');
const boundaries = [qualifyBoundary(node, 'open')];

let database: TestDatabase;
let prisma: PrismaClient;
let ofGateway: ReadPool;
let post: WrittenPost;
beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient(database.url, { poolSize: 2 });
  ofGateway = new ReadPool(database.gatewayUrl, { poolSize: 2 });
  const world = new World(prisma);
  await world.node(node);
  post = await world.post({ author, node, boundaries, rkey: 'r' });
});
afterAll(async () => {
  await prisma.$disconnect();
  await ofGateway[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

test('hydrates what was chosen, and nothing that took its place since', async () => {
  const counter = { refused: 0 };
  const { cid: another } = await encodeRecord({ text: 'another' });
  const chosen = { uri: post.uri, node, cid: post.cid, sortAt: post.at };
  const gone = { ...chosen, uri: toAtUri(`at://${author}/zone.stratos.feed.post/gone`) };
  const read = readFor(ofGateway, author);
  const stored = await read((transaction) =>
    readPosts(transaction, [chosen, { ...chosen, cid: another }, gone]),
  );
  const [found, changed, absent] = await Promise.all(
    stored.map(createPostHydrator({ logger: createLogger('silent'), counter })),
  );
  expect(found).toMatchObject({ value: { text: 'r' } });
  expect([changed, absent]).toEqual([undefined, undefined]);
  expect(counter.refused).toBe(2);
});

test('of what has a newer version by the time it is read, neither is served', async () => {
  const counter = { refused: 0 };
  const { cid: earlier } = await encodeRecord({ text: 'earlier' });
  const version = { uri: post.uri, node, indexedAt: post.at, stubCid: null, sortAt: post.at };
  const read = readFor(ofGateway, author);
  const hydrate = createPostHydrator({ logger: createLogger('silent'), counter, read });
  const hydrated = [earlier, post.cid].map((cid) => {
    const row = { ...version, cid };
    return hydrate({ candidate: row, content: row });
  });
  expect(await Promise.all(hydrated)).toMatchObject([undefined, { value: { text: 'r' } }]);
});
