import { setTimeout as sleep } from 'node:timers/promises';
import { type RepoHead, verifyCommit, verifyHeartbeat } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { expect, it } from 'vitest';
import { StreamClient } from '../testing/stream-client.ts';
import {
  AEKEA,
  NODE_DID,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';
import { heartbeatAt } from './frames.ts';
import { serviceStream } from './service-stream.ts';

const rei = TestPerson.named('rei');

function seqs(stream: StreamClient): unknown[] {
  return stream.frames.filter(({ type }) => type !== '#heartbeat').map(({ body }) => body['seq']);
}

async function nodeWithPosts(count: number): Promise<TestNode> {
  const node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  for (let i = 0; i < count; i += 1) await node.createPost(rei, postRecord(`post ${i}`));
  return node;
}

it('begins with the membership, so that every commit can be checked as it comes', async () => {
  await using node = await nodeWithPosts(3);
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  expect(stream.frames.map(({ type }) => type)).toEqual([
    '#membership',
    '#commit',
    '#commit',
    '#commit',
    '#commit',
    '#heartbeat',
  ]);
  const signingKey = (await node.ctx.service.enrollments.get(rei.did))?.signingKey;
  let previous: RepoHead | undefined;
  const texts = [];
  for (const frame of stream.of('#commit')) {
    const verified = await verifyCommit(frame, {
      service: NODE_DID,
      signingKey: signingKey ?? node.ctx.nodeKey.did(),
      previous,
    });
    previous = verified;
    texts.push(...verified.ops.map(({ record }) => [record?.value['text'], record?.boundaries]));
  }
  expect(texts).toEqual([0, 1, 2].map((i) => [`post ${i}`, [SWORDSMITH]]));
});

it('goes on from a cursor, without gaps, from the past into what happens now', async () => {
  await using node = await nodeWithPosts(120);
  await using stream = await StreamClient.open(node, node.appView, 5);
  for (let i = 0; i < 30; i += 1) await node.createPost(rei, postRecord(`live ${i}`));
  await stream.until((client) => seqs(client).length >= 147);
  expect(seqs(stream)).toEqual(Array.from({ length: 147 }, (_, i) => i + 6));
});

it('begins with what happens next when there is no cursor', async () => {
  await using node = await nodeWithPosts(2);
  await using stream = await StreamClient.open(node, node.appView);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  await node.createPost(rei, postRecord('now'));
  await stream.until((client) => client.of('#commit').length > 0);
  expect(seqs(stream)).toEqual([5]);
});

it('says at once and then again and again, signed, how far it is', async () => {
  await using node = await nodeWithPosts(1);
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length >= 2);
  await node.createPost(rei, postRecord('more'));
  const count = stream.of('#heartbeat').length;
  await stream.until((client) => client.of('#heartbeat').length > count + 1);
  const keys = [node.ctx.nodeKey.did()];
  let last = 0;
  for (const { type, body } of stream.frames) {
    if (type !== '#heartbeat') {
      last = Number(body['seq']);
      continue;
    }
    expect(verifyHeartbeat(body, { service: NODE_DID, keys }).seq).toBe(last);
  }
  expect(last).toBe(4);
});

it('sends no content of a record that is deleted, and says which boundaries it had', async () => {
  await using node = await nodeWithPosts(0);
  const { uri } = await node.createPost(rei, postRecord('a secret to forget'));
  await node.deletePost(rei, uri);
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  const [, create, remove] = stream.of('#commit');
  expect(create?.['ops']).toMatchObject([{ action: 'create', boundaries: [SWORDSMITH] }]);
  expect(remove?.['ops']).toMatchObject([{ action: 'delete', prevBoundaries: [SWORDSMITH] }]);
  for (const { body } of stream.frames) {
    const bytes = (body['blocks'] ?? new Uint8Array()) as Uint8Array;
    expect(Buffer.from(bytes).includes('a secret to forget')).toBe(false);
  }
});

it('never shows a commit in a boundary that its author has no longer at that position', async () => {
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH, AEKEA]);
  const { publisher } = node.ctx;
  const publish = publisher.publish.bind(publisher);
  const isWritten = Promise.withResolvers<void>();
  const mayPublish = Promise.withResolvers<void>();
  publisher.publish = async (did) => {
    isWritten.resolve();
    await mayPublish.promise;
    await publish(did);
  };
  const write = node.tryPost(rei, postRecord('just in time', [AEKEA]));
  await isWritten.promise;
  const change = { did: rei.did, boundary: AEKEA };
  const removal = node.operator(zone.stratos.admin.removeBoundary.$nsid, change);
  await Promise.race([removal, sleep(300)]);
  mayPublish.resolve();
  expect([(await write).status, (await removal).status]).toEqual([200, 200]);
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  const [, , commit, membership] = stream.frames.map(({ type }) => type);
  expect([commit, membership]).toEqual(['#commit', '#membership']);
});

it('makes no heartbeat for a consumer that has not seen everything', async () => {
  await using node = await nodeWithPosts(1);
  expect(await heartbeatAt(node.ctx, 2)).toBeUndefined();
  const heartbeat = { seq: 3, membershipSeq: 1 };
  expect((await heartbeatAt(node.ctx, 3))?.body).toMatchObject(heartbeat);
});

it('refuses cursors of the future, and everybody but named AppViews', async () => {
  await using node = await nodeWithPosts(1);
  await using future = await StreamClient.open(node, node.appView, 99);
  await future.until(({ frames, closed }) => closed && frames.length > 0);
  expect(future.frames.map(({ type }) => type)).toEqual(['FutureCursor']);
  const nsid = zone.stratos.sync.subscribeService.$nsid;
  const used = await node.appView.authorization(nsid);
  await using fine = await StreamClient.openWith(node, used, 0);
  await fine.until((client) => client.of('#heartbeat').length > 0);
  for (const authorization of [undefined, used, await rei.authorization(nsid)]) {
    await using refused = await StreamClient.openWith(node, authorization, 0);
    await refused.until(({ frames, closed }) => closed && frames.length > 0);
    expect(refused.frames.map(({ type }) => type)).toEqual(['AuthRequired']);
  }
});

it('cuts a consumer that was up to date and then falls too far behind', async () => {
  await using node = await nodeWithPosts(1);
  const { signal } = new AbortController();
  const stream = serviceStream(node.ctx, { cursor: undefined, signal, maxLag: 100 });
  expect((await stream.next()).value.body).toMatchObject({ service: NODE_DID });
  for (let i = 0; i < 120; i += 1) await node.createPost(rei, postRecord(`post ${i}`));
  await expect(stream.next()).rejects.toMatchObject({ code: 'ConsumerTooSlow' });
});

it('ends when the node stops', async () => {
  const node = await nodeWithPosts(1);
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  await node[Symbol.asyncDispose]();
  await stream.until(({ closed }) => closed);
});
