import { setTimeout as sleep } from 'node:timers/promises';
import { toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { inTransaction } from '../database.ts';
import { createLogger } from '../logger.ts';
import { Author, remove } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { CHANGES, type PruneOptions, prunables } from './prunable.ts';
import { PruningElsewhereError, prune } from './prune.ts';
import { RegularPruning } from './regular-pruning.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
const SAKURA = toDid('did:plc:bbbbbbbbbbbbbbbbbbbbbbbb');
const DAY_MS = 24 * 60 * 60_000;

let world: World;
let rei: Author;
let art: string;

beforeEach(async () => {
  world = await World.create();
  art = world.node.boundary('art');
  rei = await Author.create(REI);
  await world.enroll(rei);
  await world.apply(await world.node.membership(rei, ['art']));
  await world.apply(world.node.commit(await rei.genesis()));
  await world.apply(world.node.commit(await rei.post('3kaaa', [art])));
});
afterEach(() => world[Symbol.asyncDispose]());

/** Removes all that there is to be removed, which has to be as much as was counted. */
async function pruneAll(options: PruneOptions = {}): Promise<Record<string, number>> {
  const removed: Record<string, number> = {};
  for (const [kind, prunable] of Object.entries(prunables(options))) {
    const counted = await prunable.count(world.db);
    const count = await prune(world.db, prunable);
    expect(count).toBe(counted);
    if (count > 0) removed[kind] = count;
  }
  return removed;
}

const ago = (ms: number) => new Date(Date.now() - ms);

test('removes nothing of what is of use', async () => {
  await world.apply(world.node.commit(await rei.commit([remove('3kaaa')])));
  await world.apply(world.node.commit(await rei.post('3kbbb', [art])));
  expect(await pruneAll({ leftDays: 0 })).toEqual({});
  expect(await world.readable()).toEqual(['3kbbb art']);
});

test('forgets what gateways were told more than an hour ago', async () => {
  const { count } = await world.db.change.updateMany({ data: { at: ago(61 * 60_000) } });
  await world.apply(world.node.commit(await rei.post('3kbbb', [art])));
  expect(await pruneAll()).toEqual({ changes: count });
  expect(await world.db.change.findMany()).toMatchObject([{ uri: rei.uri('3kbbb') }]);
});

test('forgets deletions and refusals after their days', async () => {
  const { did: nodeDid } = world.node;
  for (const [name, days] of [
    ['old', 31],
    ['new', 29],
  ] as const) {
    const uri = rei.uri(name);
    const at = ago(days * DAY_MS);
    await world.db.tombstone.create({ data: { uri, nodeDid, rev: '3k', deletedAt: at } });
    await world.db.quarantined.create({
      data: { uri, nodeDid, reason: 'no-boundary', refusedAt: ago(days * 3 * DAY_MS) },
    });
  }
  expect(await pruneAll()).toEqual({ deletions: 1, refusals: 1 });
  expect(await world.db.tombstone.findMany()).toMatchObject([{ uri: rei.uri('new') }]);
  expect(await world.db.quarantined.findMany()).toMatchObject([{ uri: rei.uri('new') }]);
});

test('removes proofs that show nothing, and commits that wait for nothing', async () => {
  const { did: nodeDid } = world.node;
  const at = { did: REI, nodeDid };
  const proof = await world.db.proof.findFirstOrThrow();
  await world.db.proof.create({ data: { ...proof, rev: '3kunused' } });
  await world.db.waitingCommit.create({
    data: { ...at, streamSeq: 9, frame: new Uint8Array([1]) },
  });
  await world.db.resync.create({ data: { ...at, reason: 'returned' } });
  expect(await pruneAll()).toEqual({});
  await world.db.resync.deleteMany();
  expect(await pruneAll()).toEqual({ proofs: 1, 'waiting commits': 1 });
  expect(await world.db.proof.findMany()).toEqual([proof]);
});

test('removes what people wrote who left, after as many days as it is told', async () => {
  const sakura = await Author.create(SAKURA);
  await world.apply(await world.node.membership(sakura, ['art']));
  await world.apply(world.node.commit(await sakura.post('3kccc', [art])));
  await world.apply(await world.node.membership(rei, [], { active: false }));
  expect(await pruneAll()).toEqual({});
  expect(await pruneAll({ leftDays: 1 })).toEqual({});
  await world.db.membership.updateMany({ data: { issuedAt: ago(2 * DAY_MS) } });
  expect(await pruneAll({ leftDays: 1 })).toEqual({ 'people who left': 1 });
  const left = async () => (await world.db.post.findMany()).map(({ did }) => did);
  expect(await left()).toEqual([SAKURA]);
  expect(await world.db.repo.count()).toBe(1);
  expect(await world.db.membership.count()).toBe(2);

  await world.apply(await world.node.membership(rei, ['art']));
  expect(await world.db.resync.findMany()).toMatchObject([{ did: REI, reason: 'returned' }]);
});

test('takes several rounds where there is much, and only if nobody else does it', async () => {
  await world.db.change.createMany({
    data: Array.from({ length: 12_000 }, () => ({
      kind: 'node',
      nodeDid: world.node.did,
      at: new Date(0),
    })),
  });
  await inTransaction(world.db, async (tx) => {
    await tx.$executeRaw`select pg_advisory_xact_lock(${0x7072756e696e67n})`;
    await expect(prune(world.db, CHANGES)).rejects.toThrow(PruningElsewhereError);
  });
  const rounds: number[] = [];
  expect(await prune(world.db, CHANGES, (count) => rounds.push(count))).toBe(12_000);
  expect(rounds).toEqual([5_000, 5_000, 2_000]);
});

test('is done by the indexer itself, other than what the operator has to decide', async () => {
  await world.apply(await world.node.membership(rei, [], { active: false }));
  await world.db.membership.updateMany({ data: { issuedAt: new Date(0) } });
  await world.db.change.updateMany({ data: { at: new Date(0) } });
  const proof = await world.db.proof.findFirstOrThrow();
  await world.db.proof.create({ data: { ...proof, rev: '3kunused' } });
  await using _pruning = new RegularPruning(world.db, createLogger('silent'), {
    ...{ changesMs: 50, allMs: 50 },
  });
  const kept = async () => [await world.db.change.count(), await world.db.proof.count()];
  await vi.waitFor(async () => expect(await kept()).toEqual([0, 1]), { timeout: 20_000 });
  await sleep(200);
  expect(await world.db.post.count()).toBe(1);
});
