import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cid } from '@stratos/protocol';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NODE_DID } from '../../testing/test-node.ts';
import type { RepoCommit } from '../actor-storage.ts';
import { blockOf, commitOf, didOf, KEY, revOf } from '../conformance/fixtures.ts';
import { actorMigrations } from './actor-schema.ts';
import { actorDatabasePath, SqliteActorStorage } from './actor-storage.ts';
import { openDatabase } from './database.ts';

const did = didOf('newest');

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stratos-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

/** A commit of one record, with nodes of the tree; it removes those that are named. */
function commitWith(number: number, nodes: readonly string[], removed: readonly Cid[]): RepoCommit {
  const change = { rkey: `r${number}`, text: `record ${number}` };
  const commit = commitOf([change], { rev: revOf(number), removed });
  return { ...commit, newBlocks: [...nodes.map(blockOf), ...commit.newBlocks] };
}

function apply(storage: SqliteActorStorage, commit: RepoCommit): Promise<number> {
  return storage.write(did, (actor) => actor.applyCommit(commit));
}

/** CIDs of the blocks in a table. */
function cidsIn(table: string): Cid[] {
  using database = opened();
  return database.prepare<[], Cid>(`SELECT cid FROM ${table} ORDER BY rowid`).pluck().all();
}

function opened() {
  const database = new SqliteDatabase(actorDatabasePath(dataDir, did), { readonly: true });
  return Object.assign(database, { [Symbol.dispose]: () => void database.close() });
}

const cidOf = (text: string) => blockOf(text)[0];
const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

it('has among all blocks the records, and what outlives the next commit', async () => {
  await using storage = new SqliteActorStorage(dataDir, NODE_DID);
  await storage.create(did, KEY);
  const first = commitWith(1, ['leaf', 'top'], []);
  await apply(storage, first);
  expect(cidsIn('stratos_repo_block')).toEqual([cidOf('record 1')]);
  expect(cidsIn('stratos_newest_block')).toEqual([cidOf('leaf'), cidOf('top'), first.root.cid]);

  const second = commitWith(2, ['new top'], [cidOf('top'), first.root.cid]);
  await apply(storage, second);
  expect(cidsIn('stratos_repo_block')).toEqual(['record 1', 'leaf', 'record 2'].map(cidOf));
  expect(cidsIn('stratos_newest_block')).toEqual([cidOf('new top'), second.root.cid]);

  const third = commitWith(3, [], [cidOf('leaf'), cidOf('new top'), second.root.cid]);
  await apply(storage, third);
  expect(cidsIn('stratos_repo_block')).toEqual(['record 1', 'record 2', 'record 3'].map(cidOf));
  expect(cidsIn('stratos_newest_block')).toEqual([third.root.cid]);
});

it('reads those of both places, each with the revision that wrote it', async () => {
  await using storage = new SqliteActorStorage(dataDir, NODE_DID);
  await storage.create(did, KEY);
  const first = commitWith(1, ['leaf'], []);
  const second = commitWith(2, ['top'], [first.root.cid]);
  await apply(storage, first);
  await apply(storage, second);
  const stays = ['record 1', 'leaf'].map(cidOf).sort();
  const isNew = [...['record 2', 'top'].map(cidOf), second.root.cid].sort();
  await storage.read(did, async (actor) => {
    expect((await actor.blockCids()).sort()).toEqual([...stays, ...isNew].sort());
    const texts = ['leaf', 'top'];
    const blocks = await actor.blocks(texts.map(cidOf));
    expect([...blocks.values()].map(textOf)).toEqual(texts);
    for (const text of texts) expect(textOf(await actor.block(cidOf(text)))).toBe(text);
    const page = await actor.blockPage({ after: { rev: '', cid: '' }, limit: 10 });
    expect(page.map(({ cid, rev }) => [cid, rev])).toEqual([
      ...stays.map((cid) => [cid, revOf(1)]),
      ...isNew.map((cid) => [cid, revOf(2)]),
    ]);
  });
});

it('puts the nodes of a large commit where they stay', async () => {
  await using storage = new SqliteActorStorage(dataDir, NODE_DID);
  await storage.create(did, KEY);
  const nodes = Array.from({ length: 40 }, (_, i) => `node ${i}`);
  await apply(storage, commitWith(1, nodes, []));
  expect(cidsIn('stratos_newest_block')).toEqual([]);
  expect(cidsIn('stratos_repo_block')).toHaveLength(42);
});

it('goes on from a database in which all blocks are in one place', async () => {
  const first = commitWith(1, ['leaf', 'top'], []);
  const path = actorDatabasePath(dataDir, did);
  {
    const before = await openDatabase(path, actorMigrations(NODE_DID).slice(0, 5));
    const put = before.prepare('INSERT INTO stratos_repo_block VALUES (?, ?, ?, ?)');
    for (const [cid, bytes] of first.newBlocks) put.run(cid, first.root.rev, bytes.length, bytes);
    await before.close();
  }
  await using storage = new SqliteActorStorage(dataDir, NODE_DID);
  const second = commitWith(2, ['new top'], [cidOf('top'), first.root.cid]);
  await apply(storage, second);
  expect(cidsIn('stratos_repo_block')).toEqual(['leaf', 'record 1', 'record 2'].map(cidOf));
  expect(cidsIn('stratos_newest_block')).toEqual([cidOf('new top'), second.root.cid]);
});
