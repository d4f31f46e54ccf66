import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { com, zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runRetention } from '../../retention/run-retention.ts';
import { StreamClient } from '../../testing/stream-client.ts';
import { picture, pictureRecord, upload } from '../../testing/test-blobs.ts';
import { postRecord, SWORDSMITH, TestNode, TestPerson } from '../../testing/test-node.ts';
import { backUp } from './back-up.ts';
import { verifyFolder } from './verify-folder.ts';

// @NOTE with Postgres there are no databases in a data folder
const it = test.skipIf(process.env['STRATOS_TEST_STORAGE'] === 'postgres');

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const people = ['rei', 'sakura', 'kaoruko', 'haruki', 'fuyuko'].map((name) =>
  TestPerson.named(name),
);
const [rei] = people as [TestPerson, ...TestPerson[]];
const quiet = { onStart() {}, onActor() {} };
const env = { STRATOS_WRITE_RATE_MAX_WRITES: '1000000' };

let folder: string;
let dataDir: string;
let target: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stratos-backup-'));
  dataDir = join(folder, 'data');
  target = join(folder, 'backup');
});
afterEach(() => rm(folder, { recursive: true }));

/** The records that a node's stream leads to, which must be those that its repos have. */
async function recordsOf(node: TestNode): Promise<string[]> {
  const streamed = new Set<string>();
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  for (const { did, ops } of stream.of('#commit')) {
    for (const { action, path } of ops as { action: string; path: string }[]) {
      const uri = `at://${did}/${path}`;
      if (action === 'delete') streamed.delete(uri);
      else streamed.add(uri);
    }
  }
  const kept: string[] = [];
  for (const person of people) {
    const collection = zone.stratos.feed.post.$nsid;
    let cursor: string | undefined;
    do {
      const response = await node.query(person, com.atproto.repo.listRecords.$nsid, {
        repo: person.did,
        collection,
        limit: '100',
        ...(cursor !== undefined && { cursor }),
      });
      const page = await response.json();
      kept.push(...page.records.map(({ uri }: { uri: string }) => uri));
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
  expect([...streamed].sort()).toEqual(kept.toSorted());
  return kept;
}

it('publishes on the copy what was written after the service database was copied', async () => {
  {
    await using node = await TestNode.start({ people, dataDir, env });
    await node.enroll(rei, [SWORDSMITH]);
    await node.createPost(rei, postRecord('before'));
    await node.createPost(rei, pictureRecord(await upload(node, rei, picture('a'))));
  }
  await using node = await TestNode.start({ people, dataDir, env });
  await backUp(dataDir, target, {
    async onStart() {
      await node.createPost(rei, postRecord('meanwhile'));
      await node.createPost(rei, pictureRecord(await upload(node, rei, picture('b'))));
    },
    onActor() {},
  });
  expect((await verifyFolder(target, quiet)).damage).toEqual([]);
  expect(await readdir(join(target, 'blobs', rei.did))).toHaveLength(2);
  await node.createPost(rei, postRecord('too late'));
  const position = await node.ctx.service.events.head();
  await using restored = await TestNode.start({ people, dataDir: target, env });
  expect(await recordsOf(restored)).toHaveLength(4);
  await using ahead = await StreamClient.open(restored, restored.appView, position);
  await ahead.until(({ frames }) => frames.length > 0);
  expect(ahead.frames[0]?.type).toBe('FutureCursor');
});

it('forgets in the copy what was forgotten after the service database was copied', async () => {
  await using node = await TestNode.start({ people, dataDir, env });
  await node.enroll(rei, [SWORDSMITH]);
  await node.createPost(rei, postRecord('old'));
  await backUp(dataDir, target, {
    async onStart() {
      const later = new Date(Date.now() + 365 * 24 * 60 * 60 * 1000);
      while (await runRetention(node.ctx, later));
    },
    onActor() {},
  });
  expect((await verifyFolder(target, quiet)).damage).toEqual([]);
  await using restored = await TestNode.start({ people, dataDir: target, env });
  await using stream = await StreamClient.open(restored, restored.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  expect(stream.frames.map(({ type }) => type)).toEqual(['#info', '#heartbeat']);
});

it('copies a node that is being written to, so that another can go on from there', async () => {
  await using node = await TestNode.start({ people, dataDir, env });
  for (const person of people) await node.enroll(person, [SWORDSMITH]);
  const acknowledged: string[] = [];
  let isOver = false;
  const writers = people.map(async (person) => {
    while (!isOver) {
      const { uri } = await node.createPost(person, postRecord('words'));
      if (Math.random() < 0.15) await node.deletePost(person, uri);
      else acknowledged.push(uri);
    }
  });
  await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(30);
  const before = [...acknowledged];
  const args = [MAIN, 'backup', target, '--data-dir', dataDir];
  const [code] = await once(spawn(process.execPath, args, { stdio: 'ignore', env: {} }), 'exit');
  isOver = true;
  await Promise.all(writers);
  expect(code).toBe(0);
  expect(acknowledged.length).toBeGreaterThan(before.length);

  expect((await verifyFolder(target, quiet)).damage).toEqual([]);
  const elsewhere = join(folder, 'restored');
  await cp(target, elsewhere, { recursive: true });
  {
    await using restored = await TestNode.start({ people, dataDir: elsewhere, env });
    const kept = new Set(await recordsOf(restored));
    expect(before.filter((uri) => !kept.has(uri))).toEqual([]);
    expect(await restored.createPost(rei, postRecord('and on'))).toBeDefined();
  }
  expect((await verifyFolder(elsewhere, quiet)).damage).toEqual([]);
});

it('leaves the copy to its own user, and says last that it is whole', async () => {
  await using node = await TestNode.start({ people, dataDir, env });
  await node.enroll(rei, [SWORDSMITH]);
  await expect(
    backUp(dataDir, target, { onStart: () => Promise.reject(new Error('cut off')), onActor() {} }),
  ).rejects.toThrow('cut off');
  expect(await readdir(target)).not.toContain('backup.json');
  await rm(target, { recursive: true });
  await backUp(dataDir, target, quiet);
  const entries = await readdir(target, { recursive: true, withFileTypes: true });
  expect(entries.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['backup.json', 'signing_key', 'service.sqlite', 'stratos.sqlite']),
  );
  for (const entry of entries) {
    const { mode } = await stat(join(entry.parentPath, entry.name));
    expect(mode & 0o077).toBe(0);
  }
});
