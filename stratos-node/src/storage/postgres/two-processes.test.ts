import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TID } from '@atproto/common-web';
import { type Did, toTid } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../logger.ts';
import { OutboxWorker } from '../../outbox/outbox-worker.ts';
import { StreamClient } from '../../testing/stream-client.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/test-database.ts';
import { NODE_DID, postRecord, SWORDSMITH, TestNode, TestPerson } from '../../testing/test-node.ts';
import { commitOf, didOf, KEY, revOf } from '../conformance/fixtures.ts';
import { openStorage } from '../open-storage.ts';
import { openPool } from './pool.ts';

const rei = TestPerson.named('rei');
const kaworu = TestPerson.named('kaworu');

let database: TestDatabase;
let dataDir: string;
beforeEach(async () => {
  database = await createTestDatabase();
  dataDir = await mkdtemp(join(tmpdir(), 'stratos-'));
});
afterEach(async () => {
  await database[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true });
});

function startNode(): Promise<TestNode> {
  const env = { STORAGE_BACKEND: 'postgres', STRATOS_POSTGRES_URL: database.url };
  return TestNode.start({ people: [rei, kaworu], dataDir, env });
}

function open() {
  const pools = { actorPoolSize: 4, adminPoolSize: 1, blockCacheSize: 100 };
  const storage = { backend: 'postgres' as const, url: database.url, ...pools };
  return openStorage({ dataDir, serviceDid: NODE_DID, storage }, silentLogger);
}

it('start at once on an empty database', async () => {
  const storages = await Promise.all([open(), open(), open()]);
  await Promise.all(storages.map((storage) => storage.service.events.head()));
  for (const storage of storages) await storage[Symbol.asyncDispose]();
});

it('write and read what the other wrote, and stream it at once', async () => {
  await using one = await startNode();
  await using two = await startNode();
  await one.enroll(rei, [SWORDSMITH]);
  await using atTwo = await StreamClient.open(two, two.appView, 0);
  const { uri } = await one.createPost(rei, postRecord('from one'));
  // @NOTE the first commit of a repo is one of them
  await atTwo.until((client) => client.of('#commit').length === 2);
  const [, , repo = '', collection = '', rkey = ''] = uri.split('/');
  const nsid = com.atproto.repo.getRecord.$nsid;
  const read = await two.query(rei, nsid, { repo, collection, rkey });
  expect(await read.json()).toMatchObject({ uri, value: { text: 'from one' } });
  await using atOne = await StreamClient.open(one, one.appView, 0);
  await two.createPost(rei, postRecord('from two'));
  for (const stream of [atOne, atTwo]) {
    await stream.until((client) => client.of('#commit').length === 3);
  }
});

it('take turns with a repo, so that none of the commits fails or is lost', async () => {
  await using one = await startNode();
  await using two = await startNode();
  await one.enroll(rei, [SWORDSMITH]);
  await one.enroll(kaworu, [SWORDSMITH]);
  const posts = Array.from({ length: 24 }, (_, index) =>
    (index % 2 ? one : two).createPost(index % 3 ? rei : kaworu, postRecord(`post ${index}`)),
  );
  await Promise.all(posts);
  await using stream = await StreamClient.open(one, one.appView, 0);
  await stream.until((client) => client.of('#commit').length === 26);
  for (const { did } of [rei, kaworu]) {
    const events = await one.ctx.service.events.after(0, 100);
    const refs = events.flatMap((each) =>
      each.did === did && each.kind === 'commit' ? [each.ref] : [],
    );
    expect(refs).toEqual(refs.toSorted((a, b) => a - b));
    const log = await two.ctx.actors.read(did, (actor) => actor.eventsAfter(0, 100));
    expect(refs).toEqual([...(log?.keys() ?? [])]);
    const revs = [...(log?.values() ?? [])];
    for (const [index, { since }] of revs.entries()) {
      if (index > 0) expect(since).toBe(revs[index - 1]?.rev);
    }
  }
});

it('take a token once', async () => {
  await using one = await startNode();
  await using two = await startNode();
  await one.enroll(rei, [SWORDSMITH]);
  const nsid = com.atproto.repo.describeRepo.$nsid;
  const token = await rei.authorization(nsid);
  expect((await one.get(nsid, { repo: rei.did }, token)).status).toBe(200);
  expect((await two.get(nsid, { repo: rei.did }, token)).status).toBe(401);
});

it('see positions of the stream in order, whoever appends', async () => {
  await using one = await open();
  await using two = await open();
  const did = didOf('order');
  const event = (ref: number) => ({ did, kind: 'commit' as const, ref, time: 'now' });
  let isDone = false;
  const writers = Array.from({ length: 60 }, async (_, ref) => {
    const { service } = ref % 2 ? one : two;
    await service.transact(async (stores) => {
      await stores.events.append(event(ref));
      await sleep((ref * 7) % 6);
    });
  });
  const finished = Promise.all(writers).then(() => {
    isDone = true;
  });
  const seen: number[] = [];
  let last = 0;
  while (!isDone || (await one.service.events.head()) > last) {
    for (const { seq } of await one.service.events.after(last, 7)) {
      seen.push(seq);
      last = seq;
    }
    await sleep(1);
  }
  await finished;
  expect(seen).toEqual((await two.service.events.after(0, 100)).map(({ seq }) => seq));
  expect(seen).toHaveLength(60);
});

it('publish what another left behind, and nothing of one that lives', async () => {
  await using node = await startNode();
  const { publisher, service, actors } = node.ctx;
  await node.enroll(rei, [SWORDSMITH]);
  const gone = await open();
  await gone.service.publications.markDirty(rei.did);
  const root = await actors.read(rei.did, (actor) => actor.root());
  const rev = toTid(TID.nextStr(root?.rev));
  await gone.actors.write(rei.did, (actor) => actor.applyCommit(commitOf([], { rev })));
  expect(await publisher.recover()).toBe(0);
  const head = await service.events.head();
  await gone[Symbol.asyncDispose]();
  // Postgres takes a moment to see that a connection is gone.
  await expect.poll(() => publisher.recover()).toBe(1);
  expect(await service.events.after(head, 10)).toMatchObject([{ did: rei.did, kind: 'commit' }]);
  expect(await publisher.recover()).toBe(0);
});

it('do each job of the outbox once, and one of a person at a time', async () => {
  await using one = await open();
  await using two = await open();
  const dids = Array.from({ length: 6 }, (_, i) => didOf(`p${i}`));
  for (const did of [...dids, ...dids, ...dids]) {
    await one.service.outbox.add(did, { kind: 'enrollment' });
  }
  const busy = new Set<Did>();
  const done: Did[] = [];
  const run = async (did: Did) => {
    expect(busy.has(did)).toBe(false);
    busy.add(did);
    await sleep(5);
    busy.delete(did);
    done.push(did);
  };
  const workers = [one, two].map(
    ({ service }) => new OutboxWorker({ service, run, logger: silentLogger }),
  );
  for (const worker of workers) worker.start();
  while ((await one.service.outbox.heads(1, { people: [], pdses: [] })).length > 0) await sleep(10);
  for (const worker of workers) await worker[Symbol.asyncDispose]();
  expect(done.sort()).toEqual([...dids, ...dids, ...dids].sort());
});

it('do not cache what another deleted', async () => {
  await using one = await open();
  await using two = await open();
  const did = didOf('cached');
  await one.actors.create(did, KEY);
  const node = (text: string) => {
    // @NOTE begins as a node of a tree does, which is what the cache keeps
    const bytes = new Uint8Array([0xa2, 0x61, 0x65, ...new TextEncoder().encode(text)]);
    return [`bafynode${text}`, bytes] as [ReturnType<typeof commitOf>['root']['cid'], Uint8Array];
  };
  const first = commitOf([], { rev: revOf(1) });
  const blocks = [...first.newBlocks, node('old')];
  await one.actors.write(did, (actor) => actor.applyCommit({ ...first, newBlocks: blocks }));
  for (const { actors } of [one, two]) {
    for (let times = 0; times < 2; times += 1) {
      const found = await actors.read(did, (actor) => actor.block(node('old')[0]));
      expect(found).toEqual(node('old')[1]);
    }
  }
  const second = commitOf([], { rev: revOf(2), removed: [node('old')[0]] });
  await one.actors.write(did, (actor) => actor.applyCommit(second));
  for (const { actors } of [one, two]) {
    expect(await actors.read(did, (actor) => actor.block(node('old')[0]))).toBeUndefined();
  }
});

it('go on after they lost all of their connections', async () => {
  await using one = await startNode();
  await using two = await startNode();
  await one.enroll(rei, [SWORDSMITH]);
  await one.createPost(rei, postRecord('before'));
  const admin = openPool(database.url, { max: 1, logger: silentLogger });
  await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`.execute(admin);
  await admin.destroy();
  for (;;) {
    if ((await one.tryPost(rei, postRecord('after'))).ok) break;
    await sleep(50);
  }
  await using stream = await StreamClient.open(two, two.appView, 0);
  await stream.until((client) => client.of('#commit').length >= 3);
});
