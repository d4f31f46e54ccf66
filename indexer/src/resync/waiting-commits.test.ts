import { createGuardedFetch, SigningKey, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyEvents } from '../applying/apply-event.ts';
import { type ProvenEvent, proveEvent } from '../applying/prove-event.ts';
import type { Database } from '../database.ts';
import { Author, create, remove, update } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { askForAllRepos } from './ask-for-repos.ts';
import { resyncRepo } from './resync-repo.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
const APPVIEW = toDid('did:web:localhost%3A4000');

let world: World;
let rei: Author;
let art: string;

beforeEach(async () => {
  world = await World.create();
  rei = await Author.create(REI);
  art = world.node.boundary('art');
  await world.enroll(rei);
  await world.apply(await world.node.membership(rei, ['art', 'writers']));
  await world.apply(world.node.commit(await rei.genesis()));
  world.node.repos.set(REI, () => rei.car());
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

async function write(...writes: Parameters<Author['commit']>[0]): Promise<string[]> {
  return (await world.apply(world.node.commit(await rei.commit(writes)))).refusals;
}

/** A commit for each key, all of which have arrived when the first is applied. */
async function writeAtOnce(keys: readonly string[]): Promise<void> {
  const { did: nodeDid, key } = world.node;
  const events: ProvenEvent[] = [];
  for (const each of keys) {
    const event = world.node.commit(await rei.commit([create(each, [art], each)]));
    events.push(await proveEvent(event, nodeDid));
  }
  await applyEvents({ db: world.db, nodeDid, keys: [key.did()], leaseSeconds: 60 }, events);
}

/** A commit is missing. */
async function gap(): Promise<void> {
  await rei.commit([create('3kgap', [art], '3kgap')]);
  expect(await write(create('3kaaa', [art], '3kaaa'))).toEqual(['not-continuous']);
}

async function resync(db: Database = world.db): Promise<boolean> {
  const { did, url: endpoint } = world.node;
  const { isDone } = await resyncRepo(
    {
      db,
      fetch: createGuardedFetch({ devMode: true, maxBytes: 10_000_000, timeoutMs: 60_000 }),
      appView: { did: APPVIEW, key: SigningKey.generate('secp256k1') },
      node: { did, endpoint },
      signal: new AbortController().signal,
    },
    REI,
  );
  return isDone;
}

/** Has the repo be read before, and sent after something else. */
function sentAfter(meanwhile: () => Promise<void>): void {
  world.node.repos.set(REI, async () => {
    const car = await rei.car();
    await meanwhile();
    return car;
  });
}

const keys = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `3kx${String(from + i).padStart(4, '0')}`);

test('a repo that is written to all the time it is fetched is whole and continuous', async () => {
  await gap();
  const during = keys(200);
  sentAfter(async () => {
    for (let at = 0; at < during.length; at += 20) await writeAtOnce(during.slice(at, at + 20));
  });
  expect(await resync()).toBe(true);
  expect(await world.readable()).toEqual(
    ['3kgap', '3kaaa', ...during].toSorted().map((key) => `${key} art`),
  );
  expect(await world.db.resync.count()).toBe(0);
  expect(await world.db.waitingCommit.count()).toBe(0);
  expect(await write(create('3kzzz', [art]))).toEqual([]);
  expect(await world.readable()).toContain('3kzzz art');
  expect(await world.refusals()).toEqual(['not-continuous']);
});

test('what waits outlives a process that dies after the fetch', async () => {
  await gap();
  sentAfter(async () => void (await write(create('3kbbb', [art]), update('3kaaa', [art], 'new'))));
  const { resync: rows, membership, waitingCommit, $queryRaw } = world.db;
  const dying = Object.assign(world.dyingDatabase(), {
    resync: rows,
    membership,
    waitingCommit,
    $queryRaw: $queryRaw.bind(world.db),
  });
  await expect(resync(dying)).rejects.toThrow('killed');
  expect(await world.db.waitingCommit.count()).toBe(2);
  const before = await rei.car();
  await write(remove('3kgap'));
  world.node.repos.set(REI, async () => before);
  expect(await resync()).toBe(true);
  expect(await world.readable()).toEqual(['3kaaa art', '3kbbb art']);
  expect(await world.db.post.findMany({ where: { rkey: '3kaaa' } })).toMatchObject([
    { text: 'new' },
  ]);
  expect(await world.db.tombstone.findMany()).toMatchObject([{ uri: rei.uri('3kgap') }]);
});

test('a commit that came before the fetch and is no part of the repo does not go on waiting', async () => {
  await write(create('3kaaa', [art]));
  const fork = await rei.fork();
  await fork.post('3klie', [art]);
  world.node.commit(await rei.post('3kbbb', [art]));
  await world.apply(world.node.commit(await fork.post('3kliar', [art])));
  await world.apply(world.node.commit(await rei.post('3kccc', [art])));
  expect(await world.db.waitingCommit.count()).toBe(2);
  expect(await resync()).toBe(true);
  expect(await world.db.waitingCommit.count()).toBe(0);
  expect(await world.readable()).toEqual(['3kaaa art', '3kbbb art', '3kccc art']);
  expect(await write(create('3kddd', [art]))).toEqual([]);
  expect(await world.refusals()).toEqual(['not-continuous']);
});

test('what a waiting commit deletes or replaces is read by nobody from then on', async () => {
  await write(...['3kaaa', '3kbbb', '3kccc'].map((key) => create(key, [art], key)));
  await rei.commit([create('3kgap', [art])]);
  await write(remove('3kaaa'), update('3kbbb', [world.node.boundary('writers')]));
  expect(await world.readable()).toEqual(['3kccc art']);
  const told = await world.db.change.findMany({ where: { kind: 'gone' } });
  expect(told.map(({ uri }) => uri).toSorted()).toEqual([rei.uri('3kaaa'), rei.uri('3kbbb')]);
  expect(await resync()).toBe(true);
  expect(await world.readable()).toEqual(['3kbbb writers', '3kccc art', '3kgap art']);
});

/** Has so many others wait, as if they had come before. */
async function othersWait(commits: number, bytes: number): Promise<void> {
  const frame = Buffer.alloc(bytes / commits);
  await world.db.waitingCommit.createMany({
    data: Array.from({ length: commits }, (_, i) => {
      return { did: REI, nodeDid: world.node.did, streamSeq: 1_000_000 + i, frame };
    }),
  });
}

test('more than may wait is dropped, and fetched once more', async () => {
  await gap();
  await othersWait(498, 498);
  await write(create('3kbbb', [art]));
  expect(await world.db.waitingCommit.count()).toBe(500);
  expect(await world.db.resync.findMany()).toMatchObject([{ asked: 1 }]);
  await write(create('3kccc', [art]));
  expect(await world.db.waitingCommit.count()).toBe(0);
  expect(await world.db.resync.findMany()).toMatchObject([{ asked: 2 }]);
  sentAfter(async () => {
    await write(create('3kddd', [art]));
    expect(await world.db.waitingCommit.count()).toBe(1);
    await othersWait(500, 500);
    await write(create('3keee', [art]));
  });
  expect(await resync()).toBe(false);
  expect(await world.readable()).toHaveLength(4);
  world.node.repos.set(REI, () => rei.car());
  expect(await resync()).toBe(true);
  expect(await world.readable()).toHaveLength(6);
});

test('nor may more wait than so many bytes', async () => {
  await gap();
  await othersWait(1, 8 * 1024 * 1024 - 1_000);
  await write(create('3kbbb', [art], 'x'.repeat(2_000)));
  expect(await world.db.waitingCommit.count()).toBe(0);
  expect(await world.db.resync.findMany()).toMatchObject([{ asked: 2 }]);
});

test('a commit that is a lie is refused, and what follows it waits for the next fetch', async () => {
  await gap();
  sentAfter(async () => {
    const lie = await rei.commit([create('3klie', [art])], SigningKey.generate('P-256'));
    await world.apply(world.node.commit(lie));
    await write(create('3kbbb', [art]));
  });
  expect(await resync()).toBe(false);
  expect(await world.readable()).toEqual(['3kaaa art', '3kgap art']);
  expect(await world.db.resync.count()).toBe(1);
  expect(await world.refusals()).toEqual(['not-continuous', 'bad-signature']);
});

test.each(['unproven', 'operator'] as const)(
  'a repo that is %s and misses nothing goes on while it is fetched',
  async (reason) => {
    await world.db.resync.create({ data: { did: REI, nodeDid: world.node.did, reason } });
    sentAfter(async () => {
      expect(await write(create('3kfff', [art]))).toEqual([]);
      expect(await world.readable()).toEqual(['3kfff art']);
    });
    expect(await resync()).toBe(false);
    world.node.repos.set(REI, () => rei.car());
    await gap();
    expect(await world.db.waitingCommit.count()).toBe(1);
    expect(await write(create('3kbbb', [art]))).toEqual([]);
    expect(await world.db.resync.findMany()).toMatchObject([{ reason: 'not-continuous' }]);
    expect(await resync()).toBe(true);
    expect(await world.readable()).toEqual(['3kaaa art', '3kbbb art', '3kfff art', '3kgap art']);
  },
);

test('nothing of those who left waits', async () => {
  await gap();
  await world.apply(await world.node.membership(rei, [], { active: false }));
  await write(create('3kbbb', [art]), remove('3kaaa'));
  expect(await world.db.waitingCommit.count()).toBe(1);
  await world.apply(await world.node.membership(rei, ['art']));
  expect(await resync()).toBe(true);
  expect(await world.readable()).toEqual(['3kbbb art', '3kgap art']);
});

test('what waited for a repo that is no more is dropped', async () => {
  await gap();
  rei = await Author.create(REI);
  await world.apply(await world.node.membership(rei, ['art']));
  expect(await world.db.waitingCommit.count()).toBe(0);
});

test('what waited may be in boundaries alone that its author holds when its turn comes', async () => {
  await gap();
  sentAfter(async () => {
    await write(create('3kbbb', [world.node.boundary('writers')]));
    await world.apply(await world.node.membership(rei, ['art']));
  });
  expect(await resync()).toBe(true);
  expect(await world.readable()).toEqual(['3kaaa art', '3kgap art']);
  expect(await world.refusals()).toEqual(['not-continuous', 'boundary-not-held']);
});

test('commits of before a loss are measured by the membership of now', async () => {
  const writers = world.node.boundary('writers');
  await write(create('3kaaa', [writers], 'proven when it was held'));
  const old = await rei.post('3kbbb', [writers]);
  await world.apply(await world.node.membership(rei, ['art']));
  await askForAllRepos(world.db, world.node.did);
  expect((await world.apply(world.node.commit(old))).refusals).toEqual([]);
  expect(await world.readable()).toEqual([]);
  expect(await resync()).toBe(true);
  expect(await world.readable()).toEqual(['3kaaa writers']);
  expect(await world.refusals()).toEqual(['boundary-not-held']);
});
