import { TID } from '@atproto/common-web';
import { def, MemoryBlockstore, MST, readCarWithRoot } from '@atproto/repo';
import { createGuardedFetch, SigningKey, toDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../database.ts';
import { Author, create, remove, update } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { askForAllRepos } from './ask-for-repos.ts';
import { resyncRepo } from './resync-repo.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
const SAKURA = toDid('did:plc:bbbbbbbbbbbbbbbbbbbbbbbb');
const APPVIEW = toDid('did:web:localhost%3A4000');
const { $nsid } = zone.stratos.sync.getRepo;

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

/** 3kaaa and 3kbbb are known, and then a commit is missing. */
async function gap(): Promise<void> {
  await write(
    create('3kaaa', [art], 'a'),
    create('3kbbb', [art], 'b'),
    create('3kccc', [art], 'c'),
  );
  await rei.commit([remove('3kaaa'), update('3kbbb', [world.node.boundary('writers')], 'new')]);
  expect(await write(create('3kddd', [art], 'd'))).toEqual(['not-continuous']);
}

async function resync(db: Database = world.db, maxBytes = 1_000_000): Promise<boolean> {
  const { did, url: endpoint } = world.node;
  const { isDone } = await resyncRepo(
    {
      db,
      fetch: createGuardedFetch({ devMode: true, maxBytes, timeoutMs: 60_000 }),
      appView: { did: APPVIEW, key: SigningKey.generate('secp256k1') },
      node: { did, endpoint },
      signal: new AbortController().signal,
    },
    REI,
  );
  return isDone;
}

async function snapshot(): Promise<unknown> {
  const { db } = world;
  return Promise.all([
    db.post.findMany({ orderBy: { uri: 'asc' } }),
    db.postBoundary.findMany({ orderBy: [{ uri: 'asc' }, { boundary: 'asc' }] }),
    db.tombstone.findMany(),
    db.repo.findMany(),
  ]);
}

describe('a repo with a gap', () => {
  test('is as at its node again, and goes on with the stream', async () => {
    await gap();
    const [kept] = await world.db.post.findMany({ where: { rkey: '3kccc' } });
    expect(await resync()).toBe(true);
    expect(await world.readable()).toEqual(['3kbbb writers', '3kccc art', '3kddd art']);
    const texts = (await world.db.post.findMany({ orderBy: { uri: 'asc' } })).map((p) => p.text);
    expect(texts).toEqual(['new', 'c', 'd']);
    const { rev } = await world.db.repo.findFirstOrThrow();
    expect(await world.db.post.findMany({ where: { rkey: '3kccc' } })).toEqual([
      { ...kept, proofRev: rev },
    ]);
    expect(await world.db.tombstone.findMany()).toMatchObject([{ uri: rei.uri('3kaaa') }]);
    expect(await world.db.resync.count()).toBe(0);
    expect(await write(create('3keee', [art]))).toEqual([]);
    expect(await world.refusals()).toEqual(['not-continuous']);

    const token = world.node.repoRequests[0]?.authorization?.split('.')[1] ?? '';
    expect(JSON.parse(Buffer.from(token, 'base64url').toString())).toMatchObject({
      iss: APPVIEW,
      aud: world.node.did,
      lxm: $nsid,
    });
  });

  test('passes over what the stream brings of it afterwards', async () => {
    await gap();
    const late = await rei.post('3keee', [art]);
    await resync();
    const before = await snapshot();
    expect((await world.apply(world.node.commit(late))).refusals).toEqual([]);
    expect(await snapshot()).toEqual(before);
  });

  test('is fetched again when its author is given a boundary that a record of it is in', async () => {
    await gap();
    const late = await rei.post('3keee', [world.node.boundary('cooks')]);
    await resync();
    expect(await world.readable()).not.toContain('3keee cooks');
    await world.apply(await world.node.membership(rei, ['art', 'writers', 'cooks']));
    expect(await world.db.resync.findMany()).toMatchObject([{ did: REI, reason: 'returned' }]);
    expect((await world.apply(world.node.commit(late))).refusals).toEqual([]);
    expect(await resync()).toBe(true);
    expect(await world.readable()).toContain('3keee cooks');
    await world.apply(await world.node.membership(rei, ['art']));
    expect(await world.db.resync.count()).toBe(0);
  });

  test('has one proof of all its records, which others join and leave', async () => {
    await write(create('3kzzz', [art]));
    await gap();
    expect(await resync()).toBe(true);
    const [proof, ...others] = await world.db.proof.findMany();
    expect(others).toEqual([]);
    const { root, blocks } = await readCarWithRoot(proof?.car ?? new Uint8Array());
    expect(proof).toMatchObject({ commit: root.toString(), signingKey: rei.key.did() });
    const storage = new MemoryBlockstore(blocks);
    const { data } = await storage.readObj(root, def.commit);
    const shown = await Array.fromAsync(MST.load(storage, data).walkLeavesFrom(''));
    const posts = await world.db.post.findMany({ orderBy: { uri: 'asc' } });
    expect(posts.map(({ uri, cid }) => [uri, cid])).toEqual(
      shown.map(({ key, value }) => [`at://${REI}/${key}`, value.toString()]),
    );
    expect(new Set(posts.map(({ proofRev }) => proofRev))).toEqual(new Set([proof?.rev]));
    await write(create('3keee', [art]), remove('3kddd'));
    expect(await world.db.proof.count()).toBe(2);
    await world.db.resync.create({
      data: { did: REI, nodeDid: world.node.did, reason: 'unproven' },
    });
    expect(await resync()).toBe(true);
    expect(await world.db.proof.count()).toBe(1);
  });

  test('stays as it was when the process dies before the end, and heals then', async () => {
    await gap();
    const before = await snapshot();
    const { resync: rows, membership, $queryRaw } = world.db;
    const dying = Object.assign(world.dyingDatabase(), {
      resync: rows,
      membership,
      $queryRaw: $queryRaw.bind(world.db),
    });
    await expect(resync(dying)).rejects.toThrow('killed');
    expect(await snapshot()).toEqual(before);
    expect(await world.db.resync.count()).toBe(1);
    expect(await resync()).toBe(true);
    expect(await world.readable()).toHaveLength(3);
  });

  test('takes records with boundaries that the author holds now, and keeps what was proven', async () => {
    await write(create('3kaaa', [world.node.boundary('writers')], 'proven'));
    await rei.commit([create('3kbbb', [world.node.boundary('writers')], 'unproven')]);
    await rei.commit([create('3kccc', ['did:web:other.example/art']), create('3kddd', [])]);
    await world.apply(await world.node.membership(rei, ['art']));
    await write(create('3keee', [art]));
    expect(await resync()).toBe(true);
    expect(await world.readable()).toEqual(['3kaaa writers', '3keee art']);
    expect((await world.refusals()).toSorted()).toEqual([
      'boundary-not-held',
      'foreign-boundary',
      'no-boundary',
      'not-continuous',
    ]);
  });
});

describe('a lie about a repo changes nothing', () => {
  const isRecord = (block: Uint8Array) => Buffer.from(block).includes('$type');
  const isCommit = (block: Uint8Array) => Buffer.from(block).includes('csig');
  const replaced = async (from: string, to: string) => {
    const car = Buffer.from(await rei.car());
    car.write(to, car.indexOf(from));
    return car;
  };

  test.each<[string, () => Promise<() => Promise<Uint8Array>>, string]>([
    ['signed by another key', async () => (await other(REI)).car, 'bad-signature'],
    ['of somebody else', async () => (await other(SAKURA, rei.key)).car, 'wrong-actor'],
    ['with an altered record', async () => () => replaced('new', 'old'), 'wrong-cid'],
    ['without a record', async () => () => rei.car({ without: isRecord }), 'not-included'],
    [
      'without its tree',
      async () => () => rei.car({ without: (block) => !isRecord(block) && !isCommit(block) }),
      'not-included',
    ],
    ['without its commit', async () => () => rei.car({ without: isCommit }), 'not-included'],
    ['of the future', async () => (await other(REI, rei.key, tomorrow())).car, 'in-the-future'],
    ['of before', async () => (await other(REI, rei.key, '3aaaaaaaaaaaa')).car, 'not-increasing'],
    ['that ends early', async () => async () => (await rei.car()).slice(0, -10), 'malformed'],
    ['that is none', async () => async () => new Uint8Array([1, 2, 3]), 'malformed'],
  ])('%s', async (_, lie, reason) => {
    await gap();
    const before = await snapshot();
    world.node.repos.set(REI, await lie());
    await expect(resync()).rejects.toMatchObject({ reason });
    expect(await snapshot()).toEqual(before);
    const [row] = await world.db.resync.findMany();
    expect(row).toMatchObject({ failures: 1, reason: 'not-continuous' });
    expect(row?.dueAt.getTime()).toBeGreaterThan(Date.now());
    expect(await world.refusals()).toEqual(['not-continuous', `repo:${reason}`]);

    // Neither a commit nor the same lie again makes it due earlier.
    await write(create('3kfff', [art]));
    expect((await world.db.resync.findFirstOrThrow()).dueAt).toEqual(row?.dueAt);
    world.node.repos.set(REI, () => rei.car());
    expect(await resync()).toBe(true);
  });

  test('larger than what is taken', async () => {
    await gap();
    const before = await snapshot();
    await expect(resync(world.db, 1_000)).rejects.toThrow();
    expect(await snapshot()).toEqual(before);
    expect(await world.db.resync.findMany()).toMatchObject([{ failures: 1 }]);
  });

  async function other(did: typeof REI, key?: SigningKey, rev?: string) {
    const author = await Author.create(did, rev, key);
    return { car: () => author.car() };
  }

  function tomorrow(): string {
    return TID.fromTime((Date.now() + 86_400_000) * 1000, 0).toString();
  }
});

test('another history of the same moment is refused, also when the one that is known came meanwhile', async () => {
  await gap();
  world.node.repos.set(REI, async () => {
    const { rev } = await rei.genesis();
    await world.db.repo.updateMany({ data: { rev } });
    return rei.car();
  });
  const before = await world.readable();
  await expect(resync()).rejects.toMatchObject({ reason: 'not-increasing' });
  expect(await world.readable()).toEqual(before);
});

describe('somebody who left', () => {
  test('and came back has again what they wrote meanwhile', async () => {
    await write(create('3kaaa', [art]));
    await world.apply(await world.node.membership(rei, [], { active: false }));
    const away = await rei.commit([create('3kbbb', [art])]);
    const { blocks } = await rei.commit([remove('3kaaa')]).then(() => away);
    expect(blocks.length).toBeGreaterThan(0);
    await world.apply(world.node.commit(away));
    expect(await world.db.resync.count()).toBe(0);
    await world.apply(await world.node.membership(rei, ['art']));
    expect(await world.db.resync.findMany()).toMatchObject([{ reason: 'returned' }]);
    expect(await resync()).toBe(true);
    expect(await world.readable()).toEqual(['3kbbb art']);
    expect(await world.db.resync.count()).toBe(0);
  });

  test('during the fetch is read by nobody', async () => {
    await gap();
    world.node.repos.set(REI, async () => {
      const car = await rei.car();
      await world.apply(await world.node.membership(rei, [], { active: false }));
      return car;
    });
    expect(await resync()).toBe(false);
    expect(await world.readable()).toEqual([]);
    expect(await world.db.post.count({ where: { rkey: '3kddd' } })).toBe(0);
    await world.apply(await world.node.membership(rei, ['art']));
    world.node.repos.set(REI, () => rei.car());
    expect(await resync()).toBe(true);
    expect(await world.readable()).toEqual(['3kccc art', '3kddd art']);
  });

  test('is not asked for', async () => {
    await gap();
    await world.apply(await world.node.membership(rei, [], { active: false }));
    expect(await resync()).toBe(true);
    expect(world.node.repoRequests).toEqual([]);
    expect(await world.db.resync.count()).toBe(1);
  });

  test('during the fetch, and came back with another key, begins anew', async () => {
    await gap();
    world.node.repos.set(REI, async () => {
      const car = await rei.car();
      rei = await Author.create(REI);
      await world.enroll(rei);
      await world.apply(await world.node.membership(rei, ['art']));
      return car;
    });
    expect(await resync()).toBe(false);
    expect(await world.db.post.count()).toBe(0);
  });
});

test('a boundary taken during the fetch is not held', async () => {
  await gap();
  world.node.repos.set(REI, async () => {
    const car = await rei.car();
    await world.apply(await world.node.membership(rei, ['writers']));
    return car;
  });
  await resync();
  expect(await world.readable()).toEqual(['3kbbb writers', '3kccc art']);
});

test('what may be outdated is hidden until it is fetched, also from those who enroll meanwhile', async () => {
  await write(create('3kaaa', [art], 'a'), create('3kbbb', [art], 'b'));
  await rei.commit([remove('3kaaa')]);
  await askForAllRepos(world.db, world.node.did);
  expect(await world.readable()).toEqual([]);
  await world.enroll(rei);
  await world.apply(await world.node.membership(rei, ['art']));
  expect(await world.readable()).toEqual([]);
  expect(await resync()).toBe(true);
  expect(await world.readable()).toEqual(['3kbbb art']);
});

test.each(['not-continuous', 'outdated'])(
  'a repo of many records that is %s is taken over',
  { timeout: 30_000 },
  async (reason) => {
    await write(create('3kaaa', [art], 'a'), create('3kbbb', [art], 'b'));
    await rei.commit([remove('3kaaa')]);
    await rei.commit(
      Array.from({ length: 1_050 }, (_, i) => create(`3k${1_000 + i}`, [art], `${i}`)),
    );
    if (reason === 'outdated') await askForAllRepos(world.db, world.node.did);
    await write(create('3kddd', [art]));
    expect(await resync()).toBe(true);
    expect(await world.db.post.count()).toBe(1_052);
    expect(await world.readable()).toHaveLength(1_052);
    expect(await world.db.resync.count()).toBe(0);
    expect(await world.db.proof.count()).toBe(1);
    const told = await world.db.change.groupBy({ by: ['uri'], where: { kind: 'post' } });
    expect(told).toHaveLength(1_053);
  },
);
