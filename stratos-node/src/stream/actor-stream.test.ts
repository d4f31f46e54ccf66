import { setTimeout as sleep } from 'node:timers/promises';
import { zone } from '@stratos/protocol/lexicons';
import { expect, it } from 'vitest';
import { unenroll } from '../enrollment/unenroll.ts';
import { type ReceivedFrame, StreamClient } from '../testing/stream-client.ts';
import {
  AEKEA,
  NODE_DID,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';
import { actorStream } from './actor-stream.ts';

const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');
const nobody = TestPerson.named('nobody');
const people = [rei, sakura, nobody];
const collection = zone.stratos.feed.post.$nsid;
const nsid = zone.stratos.sync.subscribeRecords.$nsid;

/** A record key that is a TID, as posts have them. */
const keyOf = (name: string) => `3l7777777${name.slice(0, 4).padEnd(4, '2')}`;

async function nodeWithRei(): Promise<TestNode> {
  const node = await TestNode.start({ people });
  await node.enroll(rei, [SWORDSMITH, AEKEA]);
  return node;
}

/** Three posts by one commit, then one by another. */
async function fourPosts(node: TestNode): Promise<void> {
  const writes = ['a', 'b', 'c'].map((rkey) => ({
    $type: 'com.atproto.repo.applyWrites#create',
    collection,
    rkey: keyOf(rkey),
    value: postRecord(rkey),
  }));
  expect((await node.applyWrites(rei, writes)).status).toBe(200);
  await node.createPost(rei, postRecord('d'), { rkey: keyOf('d') });
}

type Params = Record<string, string | number>;

/** All that a listener hears of Rei's repo until `count` frames have come. */
async function heard(
  node: TestNode,
  listener: TestPerson,
  count: number,
  params: Params = {},
): Promise<ReceivedFrame[]> {
  await using stream = await StreamClient.openRecords(node, listener, { did: rei.did, ...params });
  await stream.until(({ frames }) => frames.length >= count);
  await sleep(50);
  expect(stream.frames.length).toBe(count);
  return stream.frames;
}

async function answer(node: TestNode, listener: TestPerson, params: Params): Promise<unknown> {
  await using stream = await StreamClient.openRecords(node, listener, params);
  await stream.until(({ closed }) => closed);
  return [stream.frames, stream.ending];
}

function seqOf(frame: ReceivedFrame | undefined): number {
  return Number(frame?.body['seq']);
}

function opOf(frame: ReceivedFrame | undefined): Record<string, unknown> {
  const ops = (frame?.body['ops'] ?? []) as Record<string, unknown>[];
  return ops[0] ?? {};
}

function textsOf(frames: ReceivedFrame[]): unknown[] {
  return frames.map((frame) => (opOf(frame)['record'] as { text: string } | undefined)?.text);
}

it('sends one change at a time, each at a position of its own', async () => {
  await using node = await nodeWithRei();
  await fourPosts(node);
  for (const listener of [rei, node.appView]) {
    const frames = await heard(node, listener, 4);
    expect(textsOf(frames)).toEqual(['a', 'b', 'c', 'd']);
    expect(frames.map(({ type }) => type)).toEqual(Array(4).fill('#commit'));
    const seqs = frames.map(seqOf);
    expect(seqs).toEqual([2000, 2001, 2002, 3000]);
    const [first, second, , last] = frames.map(({ body }) => body);
    expect(first?.['rev']).toBe(second?.['rev']);
    expect(first?.['rev']).not.toBe(last?.['rev']);
    expect(opOf(frames[0])).toEqual({
      action: 'create',
      path: `${collection}/${keyOf('a')}`,
      cid: expect.stringMatching(/^bafyrei/),
      commit: expect.stringMatching(/^bafyrei/),
      boundaries: [SWORDSMITH],
      record: expect.objectContaining({ text: 'a', $type: collection }),
    });
  }
});

it('goes on from any position, also between two changes of one commit', async () => {
  await using node = await nodeWithRei();
  await fourPosts(node);
  const all = await heard(node, rei, 4);
  for (let seen = 1; seen < 4; seen += 1) {
    const rest = await heard(node, rei, 4 - seen, { cursor: seqOf(all[seen - 1]) });
    expect(rest).toEqual(all.slice(seen));
  }
  await using stream = await StreamClient.openRecords(node, rei, { did: rei.did, cursor: 3000 });
  await node.createPost(rei, postRecord('now'));
  await stream.until(({ frames }) => frames.length > 0);
  expect(textsOf(stream.frames)).toEqual(['now']);
});

it('refuses cursors that are of the future or none', async () => {
  await using node = await nodeWithRei();
  await fourPosts(node);
  const did = rei.did;
  const codes = async (cursor: string | number) => {
    const [frames] = (await answer(node, rei, { did, cursor })) as [ReceivedFrame[]];
    return frames.map(({ type }) => type);
  };
  expect(await codes(3001)).toEqual(['FutureCursor']);
  for (const garbage of [-1, 'x', '1.5', '99999999999999999999']) {
    expect(await codes(garbage)).toEqual(['InvalidRequest']);
  }
});

it('is for the owner and for named AppViews; all else looks as if there were nothing', async () => {
  await using node = await nodeWithRei();
  await node.enroll(sakura, [SWORDSMITH]);
  await fourPosts(node);
  const hidden = await answer(node, sakura, { did: rei.did });
  expect(hidden).toMatchObject([[{ type: 'RepoNotFound' }], { code: 1008 }]);
  const cursor = 999_999;
  expect(await answer(node, sakura, { did: nobody.did })).toEqual(hidden);
  expect(await answer(node, sakura, { did: rei.did, cursor })).toEqual(hidden);
  expect(await answer(node, nobody, { did: nobody.did })).toEqual(hidden);
  expect(await answer(node, node.appView, { did: nobody.did })).toEqual(hidden);
  const params = { did: rei.did };
  const token = await rei.authorization(zone.stratos.sync.subscribeService.$nsid);
  for (const authorization of [undefined, 'Bearer x', token]) {
    await using stream = StreamClient.request(node, { nsid, params, authorization });
    await stream.until(({ closed }) => closed);
    expect(stream.frames.map(({ type }) => type)).toEqual(['AuthRequired']);
  }
});

it('forgets content with the record, and says which boundaries it had', async () => {
  await using node = await nodeWithRei();
  const { uri } = await node.createPost(rei, postRecord('first', [AEKEA]));
  const rkey = uri.split('/').at(-1) ?? '';
  const record = postRecord('second', [SWORDSMITH]);
  await node.applyWrites(rei, [{ action: 'update', collection, rkey, record }]);
  const before = await heard(node, node.appView, 2);
  expect(textsOf(before)).toEqual([undefined, 'second']);
  expect(opOf(before[1])).toMatchObject({ prevBoundaries: [AEKEA], boundaries: [SWORDSMITH] });
  await node.deletePost(rei, uri);
  const after = await heard(node, node.appView, 3);
  expect(textsOf(after)).toEqual([undefined, undefined, undefined]);
  expect(opOf(after[2])).toEqual({
    action: 'delete',
    path: `${collection}/${rkey}`,
    commit: expect.any(String),
    prevBoundaries: [SWORDSMITH],
  });
});

it('filters by boundary, and loses nothing that a consumer has to forget', async () => {
  await using node = await nodeWithRei();
  const put = (action: string, rkey: string, boundary: string) =>
    node.applyWrites(rei, [
      {
        action,
        collection,
        rkey: keyOf(rkey),
        record: postRecord(`${rkey} in ${boundary}`, [boundary]),
      },
    ]);
  for (const [action, rkey, boundary] of [
    ['create', 'moves', AEKEA],
    ['create', 'stays', SWORDSMITH],
    ['update', 'moves', SWORDSMITH],
    ['create', 'alien', AEKEA],
    ['update', 'moves', AEKEA],
  ] as const) {
    expect((await put(action, rkey, boundary)).status).toBe(200);
  }
  await node.deletePost(rei, `at://${rei.did}/${collection}/${keyOf('stays')}`);
  await node.deletePost(rei, `at://${rei.did}/${collection}/${keyOf('alien')}`);
  for (const domain of [SWORDSMITH, 'swordsmith']) {
    const frames = await heard(node, node.appView, 4, { domain });
    expect(frames.map((frame) => [opOf(frame)['action'], opOf(frame)['path']])).toEqual([
      ['create', `${collection}/${keyOf('stays')}`],
      ['update', `${collection}/${keyOf('moves')}`],
      ['update', `${collection}/${keyOf('moves')}`],
      ['delete', `${collection}/${keyOf('stays')}`],
    ]);
    expect(opOf(frames[2])).toMatchObject({ prevBoundaries: [SWORDSMITH], boundaries: [AEKEA] });
    expect(textsOf(frames)).toEqual([undefined, undefined, undefined, undefined]);
  }
  const moved = await heard(node, node.appView, 5, { domain: AEKEA });
  expect(textsOf(moved).filter(Boolean)).toEqual([`moves in ${AEKEA}`]);
  for (const domain of [
    'did:web:elsewhere.example.com/swordsmith',
    'Not a boundary',
    `${NODE_DID}/`,
  ]) {
    const refused = await answer(node, node.appView, { did: rei.did, domain });
    expect(refused).toMatchObject([[{ type: 'InvalidRequest' }], { code: 1008 }]);
  }
});

it('goes on where all is filtered out, however much it is', async () => {
  await using node = await TestNode.start({
    people,
    env: { STRATOS_WRITE_RATE_MAX_WRITES: '1000' },
  });
  await node.enroll(rei, [SWORDSMITH, AEKEA]);
  for (let i = 0; i < 120; i += 1) await node.createPost(rei, postRecord(`${i}`, [AEKEA]));
  await using stream = await StreamClient.openRecords(node, node.appView, {
    did: rei.did,
    domain: SWORDSMITH,
  });
  await node.createPost(rei, postRecord('mine'));
  await stream.until(({ frames }) => frames.length > 0);
  expect(textsOf(stream.frames)).toEqual(['mine']);
});

it('tells AppViews nothing of what somebody wrote who has left, and the owner all of it', async () => {
  await using node = await nodeWithRei();
  await fourPosts(node);
  await unenroll(node.ctx, rei.did);
  expect(textsOf(await heard(node, node.appView, 4))).toEqual(Array(4).fill(undefined));
  expect(textsOf(await heard(node, rei, 4))).toEqual(['a', 'b', 'c', 'd']);
});

it('asks before each frame whether the author is still here', async () => {
  await using node = await nodeWithRei();
  await fourPosts(node);
  const { signal } = new AbortController();
  const listening = { did: rei.did, listener: 'AppView', domain: undefined } as const;
  const stream = actorStream(node.ctx, { ...listening, cursor: undefined, signal });
  const next = async () => (await stream.next()).value as { ops: { record?: unknown }[] };
  expect((await next()).ops[0]?.record).toBeDefined();
  await unenroll(node.ctx, rei.did);
  expect((await next()).ops[0]?.record).toBeUndefined();
  await stream.return(undefined);
});

it('cuts a consumer that was up to date and then falls too far behind', async () => {
  await using node = await nodeWithRei();
  await fourPosts(node);
  const { signal } = new AbortController();
  const listening = { did: rei.did, listener: 'owner', domain: undefined } as const;
  const options = { ...listening, cursor: 3000, signal, maxLag: 5_000 };
  const stream = actorStream(node.ctx, options);
  const first = stream.next();
  await sleep(20);
  await node.createPost(rei, postRecord('more'));
  await first;
  for (let i = 0; i < 60; i += 1) await node.createPost(rei, postRecord(`post ${i}`));
  await expect(stream.next()).rejects.toMatchObject({ code: 'ConsumerTooSlow' });
});
