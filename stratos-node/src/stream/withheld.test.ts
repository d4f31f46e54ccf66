import { type AtUri, verifyCommit } from '@stratos/protocol';
import { expect, it } from 'vitest';
import { unenroll } from '../enrollment/unenroll.ts';
import { takeDownAccount } from '../takedown/take-down-account.ts';
import { takeDownRecord } from '../takedown/take-down-record.ts';
import { StreamClient } from '../testing/stream-client.ts';
import { NODE_DID, postRecord, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';
import { serviceStream } from './service-stream.ts';

const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');

async function nodeWithPosts(): Promise<TestNode> {
  const node = await TestNode.start({ people: [rei, sakura] });
  for (const person of [rei, sakura]) await node.enroll(person, [SWORDSMITH]);
  for (const text of ['one', 'two']) {
    await node.createPost(rei, postRecord(`${text} by rei`));
    await node.createPost(sakura, postRecord(`${text} by sakura`));
  }
  return node;
}

/** What an AppView that begins at the beginning is sent, and what it reads in it. */
async function read(node: TestNode) {
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  const wire = Buffer.concat(
    stream.of('#commit').map(({ blocks }) => Buffer.from(blocks as Uint8Array)),
  );
  return { frames: stream.of('#commit'), has: (text: string) => wire.includes(text) };
}

it('carries nothing that somebody wrote before they left, and still proves their commits', async () => {
  await using node = await nodeWithPosts();
  await unenroll(node.ctx, rei.did);
  const { frames, has } = await read(node);
  expect([has('one by rei'), has('two by rei'), has('one by sakura')]).toEqual([
    false,
    false,
    true,
  ]);
  const signingKey = (await node.ctx.service.enrollments.get(rei.did))?.signingKey;
  let previous: Awaited<ReturnType<typeof verifyCommit>> | undefined;
  for (const frame of frames.filter(({ did }) => did === rei.did)) {
    const options = { service: NODE_DID, signingKey: signingKey ?? node.ctx.nodeKey.did() };
    previous = await verifyCommit(frame, { ...options, previous });
    expect(previous.ops.every(({ record }) => record === undefined)).toBe(true);
  }
  expect(previous?.ops[0]?.cid).toBeDefined();
  await node.enroll(rei, [SWORDSMITH]);
  expect((await read(node)).has('one by rei')).toBe(true);
});

it('asks before each frame whether its author is still here', async () => {
  await using node = await nodeWithPosts();
  const { signal } = new AbortController();
  const stream = serviceStream(node.ctx, { cursor: 4, signal });
  const next = async () => {
    const { blocks } = (await stream.next()).value.body as { blocks: Uint8Array };
    return Buffer.from(blocks).includes('by rei');
  };
  expect(await next()).toBe(true);
  expect(await next()).toBe(false);
  await unenroll(node.ctx, rei.did);
  expect(await next()).toBe(false);
  await stream.return(undefined);
});

it('carries each record with the commit that made it what it is, and with no other', async () => {
  await using node = await nodeWithPosts();
  const { uri } = await node.createPost(rei, postRecord('before'));
  const [, , , collection, rkey] = uri.split('/');
  const write = { action: 'update', collection, rkey, record: postRecord('after') };
  expect((await node.applyWrites(rei, [write])).status).toBe(200);
  const { frames, has } = await read(node);
  expect(has('before')).toBe(false);
  const carriers = frames.filter(({ blocks }) =>
    Buffer.from(blocks as Uint8Array).includes('after'),
  );
  expect(carriers).toEqual(frames.slice(-1));
});

it('carries no record that was taken down, and nothing of an account that was', async () => {
  await using node = await nodeWithPosts();
  const takedown = { applied: true, ref: 'by the operator' };
  const { uri } = await node.createPost(rei, postRecord('to be taken down'));
  expect((await read(node)).has('to be taken down')).toBe(true);
  await takeDownRecord(node.ctx, uri as AtUri, takedown);
  await takeDownAccount(node.ctx, sakura.did, takedown);
  const { has } = await read(node);
  expect(has('to be taken down')).toBe(false);
  expect([has('two by rei'), has('two by sakura')]).toEqual([true, false]);
  for (const [listener, count] of [
    [rei, 4],
    [sakura, 2],
  ] as const) {
    await using own = await StreamClient.openRecords(node, listener, { did: listener.did });
    await own.until(({ frames }) => frames.length === count);
    const heard = JSON.stringify(own.frames);
    expect(heard).not.toContain('to be taken down');
    expect(heard.includes('two by')).toBe(listener === rei);
  }
});
