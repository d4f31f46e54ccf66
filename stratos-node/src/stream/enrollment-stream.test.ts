import { zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { changeBoundaries } from '../enrollment/change-boundaries.ts';
import { unenroll } from '../enrollment/unenroll.ts';
import { StreamClient } from '../testing/stream-client.ts';
import { AEKEA, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';

const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');
const service = 'http://localhost:3100';

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start({ people: [rei, sakura] });
  await node.enroll(rei, [SWORDSMITH]);
  await node.enroll(sakura, [AEKEA]);
  await changeBoundaries(node.ctx, rei.did, (now) => [...now, AEKEA]);
  await unenroll(node.ctx, rei.did);
});
afterEach(() => node[Symbol.asyncDispose]());

async function heard(count: number, params: Record<string, string | number> = {}) {
  await using stream = await StreamClient.openRecords(node, node.appView, params);
  await stream.until(({ frames }) => frames.length >= count);
  return stream.frames;
}

it('tells from the beginning who enrolled, changed and left', async () => {
  const frames = await heard(4);
  const time = expect.any(String);
  const common = { service, time };
  const both = [AEKEA, SWORDSMITH];
  const enroll = { ...common, action: 'enroll' };
  expect(frames.map(({ type }) => type)).toEqual(Array(4).fill('#enrollment'));
  expect(frames.map(({ body }) => body)).toEqual([
    { ...enroll, seq: 1, did: rei.did, boundaries: [SWORDSMITH] },
    { ...enroll, seq: 2, did: sakura.did, boundaries: [AEKEA] },
    { ...enroll, seq: 3, did: rei.did, boundaries: both, prevBoundaries: [SWORDSMITH] },
    { ...common, action: 'unenroll', seq: 4, did: rei.did, boundaries: [], prevBoundaries: both },
  ]);
});

it('goes on from a cursor into what happens now', async () => {
  await using stream = await StreamClient.openRecords(node, node.appView, { cursor: 3 });
  await stream.until(({ frames }) => frames.length === 1);
  await node.enroll(rei, [SWORDSMITH]);
  await stream.until(({ frames }) => frames.length === 2);
  expect(stream.of('#enrollment').map(({ seq }) => seq)).toEqual([4, 5]);
  expect(stream.frames[1]?.body).toMatchObject({ action: 'enroll', prevBoundaries: [] });
});

it('filters by boundary: those who have it, get it or lose it', async () => {
  const seqs = async (domain: string, count: number) =>
    (await heard(count, { domain })).map(({ body }) => body['seq']);
  expect(await seqs(SWORDSMITH, 3)).toEqual([1, 3, 4]);
  expect(await seqs(AEKEA, 3)).toEqual([2, 3, 4]);
});

it('is for named AppViews alone, and refuses cursors of the future', async () => {
  const codes = async (listener: TestPerson, params: Record<string, number>) => {
    await using stream = await StreamClient.openRecords(node, listener, params);
    await stream.until(({ closed }) => closed);
    return stream.frames.map(({ type }) => type);
  };
  expect(await codes(node.appView, { cursor: 5 })).toEqual(['FutureCursor']);
  expect(await codes(sakura, {})).toEqual(['AuthRequired']);
  const nsid = zone.stratos.sync.subscribeRecords.$nsid;
  await using stream = StreamClient.request(node, { nsid });
  await stream.until(({ closed }) => closed);
  expect(stream.frames.map(({ type }) => type)).toEqual(['AuthRequired']);
});
