import { createIdentityResolver, SigningKey, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLogger } from '../logger.ts';
import { Author, create } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { RepoResyncs } from './repo-resyncs.ts';
import { ResyncMeter } from './resync-progress.ts';

const WAIT = { timeout: 20_000, interval: 50 };

let world: World;
let art: string;

beforeEach(async () => {
  world = await World.create();
  art = world.node.boundary('art');
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

/** Members with a post each, of which only the repo tells. */
async function people(count: number): Promise<Author[]> {
  const authors: Author[] = [];
  for (let i = 0; i < count; i++) {
    const author = await Author.create(toDid(`did:plc:${'abcdefgh'[i]?.repeat(24)}`));
    await world.enroll(author);
    await world.apply(await world.node.membership(author, ['art']));
    await author.commit([create('3kaaa', [art])]);
    const { did } = author;
    world.node.repos.set(did, () => author.car());
    await world.db.resync.create({ data: { did, nodeDid: world.node.did, reason: 'returned' } });
    authors.push(author);
  }
  return authors;
}

function start(): RepoResyncs {
  const resyncs = new RepoResyncs({
    db: world.db,
    identity: createIdentityResolver({ plcUrl: 'http://localhost:1', devMode: true }),
    appView: { did: toDid('did:web:localhost%3A4000'), key: SigningKey.generate('secp256k1') },
    devMode: true,
    logger: createLogger('silent'),
    mayFollow: () => true,
  });
  resyncs.start();
  return resyncs;
}

test('fetches what was asked for, and tells how far it is', async () => {
  await people(4);
  await using resyncs = start();
  await vi.waitFor(async () => expect(await resyncs.waiting()).toBe(0), WAIT);
  expect(await world.readable()).toHaveLength(4);
  expect(await resyncs.progress()).toMatchObject({ waiting: 0, done: 4, records: 4 });
});

test('one repo that is a lie, is not there, or is of somebody who left does not hold up the others', async () => {
  const [liar, missing, gone] = await people(5);
  if (!liar || !missing || !gone) throw new Error('there is nobody');
  const other = await Author.create(liar.did);
  world.node.repos.set(liar.did, () => other.car());
  world.node.repos.delete(missing.did);
  await world.apply(await world.node.membership(gone, [], { active: false }));
  await using resyncs = start();
  await vi.waitFor(async () => expect(await world.readable()).toHaveLength(2), WAIT);
  await vi.waitFor(async () => expect(await failures()).toEqual([1, 1, 0]), WAIT);
  expect(await resyncs.waiting()).toBe(2);
  const asked = world.node.repoRequests.map(({ did }) => did);
  expect(asked).not.toContain(gone.did);
  expect(await world.refusals()).toEqual(['repo:bad-signature']);

  async function failures(): Promise<number[]> {
    const rows = await world.db.resync.findMany({ orderBy: { did: 'asc' } });
    return rows.map((row) => row.failures);
  }
});

test('asks a node for several repos at once, after it has sent a first one', async () => {
  const authors = await people(4);
  let [atOnce, most] = [0, 0];
  const { promise: together, resolve } = Promise.withResolvers<void>();
  for (const author of authors) {
    world.node.repos.set(author.did, async () => {
      most = Math.max(most, ++atOnce);
      if (world.node.repoRequests.length === 3) resolve();
      if (world.node.repoRequests.length > 1) await together;
      atOnce--;
      return author.car();
    });
  }
  await using resyncs = start();
  await vi.waitFor(async () => expect(await resyncs.waiting()).toBe(0), WAIT);
  expect(most).toBe(2);
});

test('measures what was fetched in the last seconds', () => {
  vi.useFakeTimers();
  try {
    const meter = new ResyncMeter();
    meter.add(3_000);
    vi.advanceTimersByTime(6_000);
    meter.add(1_000);
    expect(meter.progress(7)).toEqual({
      waiting: 7,
      done: 2,
      records: 4_000,
      recordsPerSecond: 400,
    });
    vi.advanceTimersByTime(6_000);
    expect(meter.progress(0)).toMatchObject({ records: 4_000, recordsPerSecond: 100 });
  } finally {
    vi.useRealTimers();
  }
});
