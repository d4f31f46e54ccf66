import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { encode } from '@atproto/lex-cbor';
import { verifyRepoCar } from '@atproto/repo';
import { com, zone } from '@stratos/protocol/lexicons';
import SqliteDatabase from 'better-sqlite3';
import { expect, it } from 'vitest';
import { unenroll } from '../enrollment/unenroll.ts';
import { actorDatabasePath } from '../storage/sqlite/actor-storage.ts';
import { MovingWorld } from '../testing/moving-world.ts';
import { provenEntries } from '../testing/proven-entries.ts';
import { StreamClient } from '../testing/stream-client.ts';
import {
  AEKEA,
  NODE_DID,
  postRecord,
  SWORDSMITH,
  type TestNode,
  TestPerson,
} from '../testing/test-node.ts';
import { runErasure } from './run-erasure.ts';

/** Looks into the files of the node. */
const itInFiles = it.skipIf(process.env['STRATOS_TEST_STORAGE'] === 'postgres');
const collection = zone.stratos.feed.post.$nsid;
const DAY_MS = 86_400_000;
const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');

const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);

/** Which of the words are in any file of a folder, at any depth. */
async function wordsIn(folder: string, words: readonly string[]): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = new Set<string>();
  for (const entry of entries.filter((each) => each.isFile())) {
    const content = await readFile(join(entry.parentPath, entry.name));
    for (const word of words) if (content.includes(word)) found.add(word);
  }
  return [...found].sort();
}

async function takedown(node: TestNode, subject: Record<string, unknown>): Promise<void> {
  const response = await node.operator(zone.stratos.admin.takedown.$nsid, subject);
  expect(response.status).toBe(200);
}

itInFiles('leaves of what was deleted no byte in any file', async () => {
  await using world = await MovingWorld.of([rei, sakura]);
  const node = await world.node();
  const { dataDir } = node.ctx.config;
  await node.enroll(rei, [SWORDSMITH]);
  await node.enroll(sakura, [SWORDSMITH]);
  let count = 0;
  const words: string[] = [];
  const word = () => {
    count += 1;
    const made = `marker${count}unforgettable`;
    words.push(made);
    return made;
  };
  const rkeyOf = ({ uri }: { uri: string }) => uri.split('/')[4] ?? '';

  const kept = word();
  await node.createPost(sakura, postRecord(kept));
  for (let i = 0; i < 20; i += 1) await node.createPost(rei, postRecord(word()));
  const first = await node.createPost(rei, postRecord(word()));
  const second = await node.createPost(rei, postRecord(word()));
  const update = { action: 'update', collection, rkey: rkeyOf(first), record: postRecord(word()) };
  expect((await node.applyWrites(rei, [update])).status).toBe(200);
  expect((await node.deletePost(rei, first.uri)).status).toBe(200);
  await takedown(node, { uri: second.uri });
  expect(await wordsIn(dataDir, words)).toContain(words[22]);
  expect((await node.deletePost(rei, second.uri)).status).toBe(200);
  expect(await wordsIn(dataDir, words)).toEqual(words.slice(0, 21).sort());

  const third = await node.createPost(rei, postRecord(word()));
  await takedown(node, { uri: third.uri });
  const image = Buffer.concat([PNG, Buffer.from(word())]);
  const upload = com.atproto.repo.uploadBlob.$nsid;
  const uploaded = await fetch(`${node.url}/xrpc/${upload}`, {
    method: 'POST',
    headers: { 'content-type': 'image/png', authorization: await rei.authorization(upload) },
    body: new Uint8Array(image),
  });
  expect(uploaded.status).toBe(200);

  const car = await world.exported(node, sakura);
  const failed = await world.imported(node, sakura, car.slice(), { source: NODE_DID });
  expect(failed.status).toBe(200);
  const broken = Buffer.concat([car.slice(0, -3), Buffer.from(word())]);
  expect((await world.imported(node, sakura, new Uint8Array(broken))).status).toBe(400);
  const other = encode({ word: word() });
  const foreign = Buffer.concat([car, Buffer.from([0]), other]);
  expect((await world.imported(node, sakura, new Uint8Array(foreign))).status).toBe(400);

  await unenroll(node.ctx, rei.did);
  await node.ctx.outbox.settled(rei.did, 10_000);
  expect(await runErasure(node.ctx, inDays(29))).toBe(0);
  expect((await wordsIn(dataDir, words)).length).toBeGreaterThan(20);
  expect(await runErasure(node.ctx, inDays(31))).toBe(1);
  expect(await wordsIn(dataDir, words)).toEqual([kept]);
  expect(await readdir(dirname(actorDatabasePath(dataDir, rei.did))).catch(() => 'gone')).toBe(
    'gone',
  );
});

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

it('keeps all of somebody who comes back in time, and begins anew with who comes later', async () => {
  await using world = await MovingWorld.of([rei]);
  const node = await world.node();
  const keyOf = async () => (await node.ctx.service.enrollments.get(rei.did))?.signingKey;
  await node.enroll(rei, [SWORDSMITH]);
  const { uri } = await node.createPost(rei, postRecord('the first'));
  const [, , , , rkey = ''] = uri.split('/');
  const read = async () =>
    (await node.query(rei, com.atproto.repo.getRecord.$nsid, { repo: rei.did, collection, rkey }))
      .status;
  const key = await keyOf();
  await unenroll(node.ctx, rei.did);
  expect(await runErasure(node.ctx, inDays(29))).toBe(0);
  await node.enroll(rei, [SWORDSMITH]);
  expect(await runErasure(node.ctx, inDays(400))).toBe(0);
  expect([await read(), await keyOf()]).toEqual([200, key]);

  await unenroll(node.ctx, rei.did);
  expect(await runErasure(node.ctx, inDays(31))).toBe(1);
  expect(await node.ctx.service.enrollments.get(rei.did)).toBeUndefined();
  expect(await node.ctx.service.outbox.count(rei.did)).toBe(0);
  expect(await read()).toBe(404);
  await using listening = await StreamClient.open(node, node.appView, 0);
  await listening.until((client) => client.of('#heartbeat').length > 0);
  expect(listening.of('#commit')).toEqual([]);
  const head = await node.ctx.service.events.head();

  await node.enroll(rei, [AEKEA]);
  expect(await keyOf()).not.toBe(key);
  await node.createPost(rei, postRecord('a new one', [AEKEA]));
  expect(await node.ctx.service.events.head()).toBeGreaterThan(head);
  const car = await world.exported(node, rei);
  const { creates } = await verifyRepoCar(car, rei.did, (await keyOf()) as string);
  expect(creates).toHaveLength(1);
  const entries = await provenEntries(node);
  expect(entries.map(({ active }) => active)).toEqual([true, false, true, false, false, true]);
  await listening.until((client) => client.of('#commit').length === 2);
});

itInFiles('begins the window of those of whom it is not known when they left', async () => {
  await using world = await MovingWorld.of([rei]);
  const node = await world.node();
  await node.enroll(rei, [SWORDSMITH]);
  await unenroll(node.ctx, rei.did);
  const database = new SqliteDatabase(join(node.ctx.config.dataDir, 'service.sqlite'));
  database.exec('UPDATE enrollment SET leftAt = NULL');
  database.close();
  expect(await runErasure(node.ctx, inDays(0))).toBe(0);
  expect(await runErasure(node.ctx, inDays(29))).toBe(0);
  expect(await runErasure(node.ctx, inDays(31))).toBe(1);
});

it('remembers of somebody who was erased that their account is taken down', async () => {
  await using world = await MovingWorld.of([rei]);
  const node = await world.node();
  await node.enroll(rei, [SWORDSMITH]);
  await takedown(node, { did: rei.did });
  expect(await runErasure(node.ctx, inDays(400))).toBe(0);
  await unenroll(node.ctx, rei.did);
  expect(await runErasure(node.ctx, inDays(31))).toBe(1);
  expect(await runErasure(node.ctx, inDays(400))).toBe(0);
  await expect(node.enroll(rei, [SWORDSMITH])).rejects.toThrow('taken down');
  await takedown(node, { did: rei.did, applied: false });
  await node.enroll(rei, [SWORDSMITH]);
});
