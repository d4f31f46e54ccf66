import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { actorDatabasePath } from '../storage/sqlite/actor-storage.ts';
import { actorStream } from '../stream/actor-stream.ts';
import { heartbeatAt } from '../stream/frames.ts';
import { serviceStream } from '../stream/service-stream.ts';
import { StreamClient } from '../testing/stream-client.ts';
import { postRecord, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';
import { Retention } from './retention.ts';
import { runRetention } from './run-retention.ts';

const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');
const DAY = 24 * 60 * 60 * 1_000;
const keyOf = (name: string) => `3l7777777${name.padEnd(4, '2')}`;

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start({
    people: [rei, sakura],
    env: { STRATOS_RETENTION_DAYS: '7', STRATOS_WRITE_RATE_MAX_WRITES: '1000' },
  });
  await node.enroll(rei, [SWORDSMITH]);
});
afterEach(() => node[Symbol.asyncDispose]());

async function forgetAll(now = new Date()): Promise<void> {
  while (await runRetention(node.ctx, now));
}

const later = (days: number) => new Date(Date.now() + days * DAY);

async function heardByOwner(params: Record<string, number>, count: number) {
  await using stream = await StreamClient.openRecords(node, rei, { did: rei.did, ...params });
  await stream.until(({ frames }) => frames.length >= count);
  return stream.frames;
}

async function heardByAppView(cursor: number) {
  await using stream = await StreamClient.open(node, node.appView, cursor);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  return stream.frames;
}

const typesOf = (frames: { type: string }[]) => frames.map(({ type }) => type);

it('forgets nothing before its time', async () => {
  await node.createPost(rei, postRecord('a'), { rkey: keyOf('a') });
  await forgetAll(later(6.9));
  expect(typesOf(await heardByOwner({ cursor: 0 }, 1))).toEqual(['#commit']);
  expect(typesOf(await heardByAppView(0))).not.toContain('#info');
});

it('forgets what is older, and says so exactly to those who missed something', async () => {
  await node.createPost(rei, postRecord('a'), { rkey: keyOf('a') });
  await node.createPost(rei, postRecord('b'), { rkey: keyOf('b') });
  const head = await node.ctx.service.events.head();
  const [, last] = await heardByOwner({}, 2);
  const position = Number(last?.body['seq']);
  await forgetAll(later(8));
  expect(await node.ctx.service.events.head()).toBe(head);
  await node.createPost(rei, postRecord('c'), { rkey: keyOf('c') });

  expect(typesOf(await heardByOwner({ cursor: position - 1 }, 2))).toEqual(['#info', '#commit']);
  expect(typesOf(await heardByOwner({ cursor: 0 }, 2))).toEqual(['#info', '#commit']);
  expect(typesOf(await heardByOwner({ cursor: position }, 1))).toEqual(['#commit']);
  expect(typesOf(await heardByOwner({}, 1))).toEqual(['#commit']);

  expect(typesOf(await heardByAppView(head - 1))).toEqual(['#info', '#commit', '#heartbeat']);
  expect(typesOf(await heardByAppView(head))).toEqual(['#commit', '#heartbeat']);
  const [info] = await heardByAppView(1);
  expect(info?.body).toMatchObject({ name: 'OutdatedCursor' });
});

it('says nothing of a first commit that changed no record', async () => {
  await forgetAll(later(8));
  await node.createPost(rei, postRecord('a'), { rkey: keyOf('a') });
  expect(typesOf(await heardByOwner({ cursor: 0 }, 1))).toEqual(['#commit']);
});

it('knows the newest position when nothing of it is left', async () => {
  await node.createPost(rei, postRecord('a'), { rkey: keyOf('a') });
  const [post] = await heardByOwner({}, 1);
  const position = Number(post?.body['seq']);
  const head = await node.ctx.service.events.head();
  await forgetAll(later(8));
  expect(await node.ctx.service.events.after(0, 10)).toEqual([]);
  expect((await heartbeatAt(node.ctx, head))?.body).toMatchObject({ seq: head });
  expect(typesOf(await heardByAppView(head))).toEqual(['#heartbeat']);
  expect(typesOf(await heardByAppView(head - 1))).toEqual(['#info', '#heartbeat']);
  await using future = await StreamClient.openRecords(node, rei, {
    did: rei.did,
    cursor: position + 1,
  });
  await future.until(({ closed }) => closed);
  expect(typesOf(future.frames)).toEqual(['FutureCursor']);
  await using present = await StreamClient.openRecords(node, rei, {
    did: rei.did,
    cursor: position,
  });
  await node.createPost(rei, postRecord('b'), { rkey: keyOf('b') });
  await present.until(({ frames }) => frames.length > 0);
  expect(typesOf(present.frames)).toEqual(['#commit']);
});

it('keeps writes and retries of writes working, and the membership log', async () => {
  const more = { rkey: keyOf('a') };
  const record = postRecord('a');
  const first = await node.createPost(rei, record, more);
  const second = await node.createPost(rei, postRecord('b'), { rkey: keyOf('b') });
  await forgetAll(later(8));
  const retried = await node.createPost(rei, record, more);
  expect(retried).toMatchObject({ uri: first.uri, cid: first.cid });
  expect(retried.commit).toBeUndefined();
  const newest = await node.ctx.actors.read(rei.did, (actor) => actor.root());
  expect(newest).toEqual(second.commit);
  await node.deletePost(rei, first.uri);
  const entries = await node.ctx.service.memberships.after(0, 10);
  expect(entries.map(({ seq }) => seq)).toEqual([1]);
});

const isSqlite = process.env['STRATOS_TEST_STORAGE'] !== 'postgres';

it.runIf(isSqlite)('leaves nothing of a deleted record in the files', async () => {
  const { uri } = await node.createPost(rei, postRecord('a'), { rkey: keyOf('gone') });
  const mentions = () => {
    const { dataDir } = node.ctx.config;
    const files = ['', '-wal'].map((ending) => {
      const path = actorDatabasePath(dataDir, rei.did) + ending;
      return existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    });
    return Buffer.concat(files).includes(keyOf('gone'));
  };
  await node.deletePost(rei, uri);
  expect(mentions()).toBe(true);
  await forgetAll(later(8));
  expect(mentions()).toBe(false);
});

it('takes up a turn that was cut short, in any place', async () => {
  await node.enroll(sakura, [SWORDSMITH]);
  for (const person of [rei, sakura]) {
    await node.createPost(person, postRecord('a'), { rkey: keyOf('a') });
  }
  const { write } = node.ctx.actors;
  const stop = new AbortController();
  const spy = vi.spyOn(node.ctx.actors, 'write').mockImplementation(async (did, task) => {
    stop.abort();
    return write.call(node.ctx.actors, did, task) as never;
  });
  expect(await runRetention(node.ctx, later(8), stop.signal)).toBe(true);
  spy.mockRestore();
  expect(typesOf(await heardByAppView(1))).toEqual(['#info', '#heartbeat']);
  expect(await node.ctx.service.events.after(0, 10)).not.toEqual([]);
  await forgetAll(new Date());
  expect(await node.ctx.service.events.after(0, 10)).toEqual([]);
  for (const { did } of [rei, sakura]) {
    const left = await node.ctx.actors.read(did, (actor) => actor.eventsAfter(0, 10));
    expect(left?.size).toBe(0);
  }
});

it('tells a listener who is overtaken by it, if that loses anything to them', async () => {
  for (let i = 0; i < 5; i += 1) await node.createPost(rei, postRecord(`${i}`));
  const { signal } = new AbortController();
  const listening = { did: rei.did, listener: 'owner', domain: undefined } as const;
  const records = actorStream(node.ctx, { ...listening, cursor: undefined, signal });
  const service = serviceStream(node.ctx, { cursor: 0, signal });
  expect((await service.next()).value.body).toMatchObject({ seq: 1 });
  await records.next();
  await forgetAll(later(8));
  const news = await node.createPost(rei, postRecord('news'));
  const rest = [];
  for await (const { header } of service) {
    rest.push('t' in header && header.t);
    if (rest.at(-1) === '#heartbeat') break;
  }
  expect(rest).toEqual(['#info', '#commit', '#heartbeat']);
  const ofRei = [];
  for await (const message of records) {
    if ('ops' in message) ofRei.push(message.rev);
    expect(message).not.toHaveProperty('name');
    if (ofRei.at(-1) === news.commit?.rev) break;
  }
  expect(ofRei.length).toBe(5);
});

it('runs by itself, and stops when it is told to', async () => {
  await node.createPost(rei, postRecord('a'));
  const config = { ...node.ctx.config, retentionDays: 0 };
  await using _retention = new Retention({ ...node.ctx, config }, { lookEveryMs: 5, pauseMs: 1 });
  await vi.waitFor(async () => {
    expect(await node.ctx.service.events.after(0, 10)).toEqual([]);
  });
});
