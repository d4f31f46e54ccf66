import { spawn } from 'node:child_process';
import { userInfo } from 'node:os';
import { text } from 'node:stream/consumers';
import { createPrismaClient, type PrismaClient } from '@stratos/prisma';
import { createTestDatabase, type TestDatabase } from '@stratos/prisma/testing';
import { type AtUri, toBoundary, toDid } from '@stratos/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { World } from '../testing/world.ts';
import { explainVisibility } from './explain-visibility.ts';

const [node, silent] = [toDid('did:web:node.test'), toDid('did:web:silent.test')];
const [alice, bob] = [toDid('did:plc:alice'), toDid('did:plc:bob')];
const open = toBoundary(`${node}/open`);
const closed = toBoundary(`${node}/closed`);
const unheard = toBoundary(`${silent}/unheard`);
const SECRET = 'nobody else’s business';

let database: TestDatabase;
let prisma: PrismaClient;
let world: World;
beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient(database.url, { poolSize: 2 });
  world = new World(prisma);
  await world.node(node);
  await world.node(silent, { leaseUntil: null });
  await world.member(alice, node, [open]);
  await world.member(alice, silent, [unheard]);
});
afterAll(async () => {
  await prisma.$disconnect();
  await database[Symbol.asyncDispose]();
});

async function explained(uri: AtUri, viewer = alice) {
  const [one] = await explainVisibility(prisma, { uri, viewer });
  return {
    isVisible: one?.isVisible,
    against: one?.steps
      .filter(({ rule, holds }) => !holds && rule !== 'the viewer wrote it')
      .map(({ rule }) => rule),
  };
}

test('says by which rule somebody may not read', async () => {
  const facts = { author: bob, node, boundaries: [open], text: SECRET };
  const shown = await world.post({ ...facts, rkey: 'shown' });
  expect(await explained(shown.uri)).toEqual({ isVisible: true, against: [] });
  const hidden = await world.post({ ...facts, boundaries: [closed], rkey: 'hidden' });
  expect((await explained(hidden.uri)).against).toEqual([
    'it is signed for a boundary of the viewer',
    'it is indexed for a boundary of the viewer',
  ]);
  expect((await explained(hidden.uri, bob)).isVisible).toBe(true);
  const left = await world.post({ ...facts, rkey: 'left', readers: [] });
  expect((await explained(left.uri)).against).toEqual([
    'it is indexed for a boundary of the viewer',
  ]);
  const mute = await world.post({ ...facts, node: silent, boundaries: [unheard], rkey: 'mute' });
  expect((await explained(mute.uri)).against).toEqual(['its node is heard']);
  const other = { uri: hidden.uri, cid: shown.cid, author: bob };
  await world.stub(other, node);
  expect((await explained(hidden.uri, bob)).isVisible).toBe(false);
});

test('is noted with who asked, and says nothing of what is written', async () => {
  const facts = { author: bob, node, boundaries: [closed], rkey: 'noted', text: SECRET };
  const { uri } = await world.post(facts);
  const main = new URL('main.ts', import.meta.url).pathname;
  const args = [main, 'explain', '--uri', uri, '--viewer', alice, '--json'];
  const child = spawn(process.execPath, args, { env: { DATABASE_URL: database.url } });
  const [printed, noted] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(JSON.parse(printed)).toMatchObject([{ node, isVisible: false }]);
  const { time, ...note } = JSON.parse(noted);
  const operator = userInfo().username;
  expect(note).toMatchObject({ operator, uri, viewer: alice, isVisible: [false] });
  expect(Math.abs(Date.now() - time)).toBeLessThan(60_000);
  expect(printed + noted).not.toContain(SECRET);
});
