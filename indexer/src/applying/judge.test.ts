import { type Did, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Author, create, remove } from '../testing/author.ts';
import { LyingNode } from '../testing/lying-node.ts';
import { judge } from './judge.ts';
import type { NodeEvent } from './node-event.ts';
import { proveEvent } from './prove-event.ts';
import type { Standing } from './standing.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');

let node: LyingNode;
let rei: Author;
let art: string;

beforeEach(async () => {
  node = await LyingNode.start();
  rei = await Author.create(REI);
  art = node.boundary('art');
});
afterEach(() => node[Symbol.asyncDispose]());

async function judged(events: readonly NodeEvent[], people = new Map<Did, Standing>()) {
  const { did: nodeDid, key } = node;
  const trust = { nodeDid, keys: [key.did()], leaseSeconds: 60 };
  const state = { cursor: 0, log: undefined, logRead: 0, leaseUntil: undefined, held: [] };
  const proven = await Promise.all(events.map((event) => proveEvent(event, nodeDid)));
  return judge(proven, trust, { node: state, people });
}

test('an author holds at each place of the stream what was said before it, and nothing else', async () => {
  const { written, refusals, cursor } = await judged([
    await node.membership(rei, []),
    node.commit(await rei.post('3kaaa', [art])),
    await node.membership(rei, ['art']),
    node.commit(await rei.post('3kbbb', [art])),
    await node.membership(rei, []),
    node.commit(await rei.post('3kccc', [art])),
  ]);
  expect([...written.keys()]).toEqual([rei.uri('3kbbb')]);
  expect(refusals).toMatchObject([
    { uri: rei.uri('3kaaa'), reason: 'boundary-not-held', streamSeq: 2 },
    { uri: rei.uri('3kccc'), reason: 'boundary-not-held', streamSeq: 6 },
  ]);
  expect(cursor).toBe(6);
});

test('a record that comes and goes is only gone', async () => {
  const verdict = await judged([
    await node.membership(rei, ['art']),
    node.commit(await rei.post('3kaaa', [art])),
    node.commit(await rei.commit([remove('3kaaa'), create('3kbbb', [art])])),
  ]);
  expect([...verdict.written.keys()]).toEqual([rei.uri('3kbbb')]);
  expect([...verdict.buried.keys()]).toEqual([rei.uri('3kaaa')]);
  expect(verdict.proofs).toMatchObject([{ rev: verdict.heads.get(REI)?.rev }]);
});

test('another key ends the repo that there was, and begins one', async () => {
  const before = node.commit(await rei.post('3kaaa', [art]));
  const first = await node.membership(rei, ['art']);
  const again = await Author.create(REI);
  const { body } = before;
  const verdict = await judged([
    { ...first, body: { ...(first.body as object), seq: 1 } },
    { type: '#commit', body: { ...(body as object), seq: 2 } },
    await node.membership(again, ['art']),
    node.commit(await again.post('3kbbb', [art])),
  ]);
  expect([...verdict.forgotten]).toEqual([REI]);
  expect([...verdict.written.keys()]).toEqual([rei.uri('3kbbb')]);
  expect(verdict.refusals).toEqual([]);
});

test('commits that cannot follow wait, and so do all that come after them', async () => {
  await rei.post('3kaaa', [art]);
  const { waiting, refusals, heads } = await judged([
    await node.membership(rei, ['art']),
    node.commit(await rei.post('3kbbb', [art])),
    node.commit(await rei.post('3kccc', [art])),
  ]);
  expect(waiting.map(({ streamSeq }) => streamSeq)).toEqual([2, 3]);
  expect(refusals).toMatchObject([{ reason: 'not-continuous', streamSeq: 2 }]);
  expect(heads.size).toBe(0);
});
