import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { com, zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { actorDatabasePath } from '../storage/sqlite/actor-storage.ts';
import {
  isOnPostgres,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';

const collection = zone.stratos.feed.post.$nsid;
const rei = TestPerson.named('rei');
const rkey = '3l7777777772a';
const someCid = 'bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a';

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
});
afterEach(() => node[Symbol.asyncDispose]());

function put(record: Record<string, unknown>, more: Record<string, unknown> = {}) {
  const body = { repo: rei.did, collection, rkey, record, ...more };
  return node.procedure(rei, com.atproto.repo.putRecord.$nsid, body);
}

function remove(more: Record<string, unknown> = {}) {
  const body = { repo: rei.did, collection, rkey, ...more };
  return node.procedure(rei, com.atproto.repo.deleteRecord.$nsid, body);
}

async function text(): Promise<string> {
  const params = { repo: rei.did, collection, rkey };
  const response = await node.query(rei, com.atproto.repo.getRecord.$nsid, params);
  return (await response.json()).value.text;
}

async function refusal(response: Response): Promise<[status: number, error: string]> {
  return [response.status, (await response.json()).error];
}

it.skipIf(isOnPostgres)(
  'makes a record, then replaces it, and leaves nothing of the first',
  async () => {
    const first = await (await put(postRecord('burn after reading'))).json();
    expect(first).toEqual({
      uri: `at://${rei.did}/${collection}/${rkey}`,
      cid: expect.any(String),
      commit: { cid: expect.any(String), rev: expect.any(String) },
      validationStatus: 'valid',
    });
    const second = await (await put(postRecord('the second'))).json();
    expect(second.uri).toBe(first.uri);
    expect(second.commit.rev > first.commit.rev).toBe(true);
    expect(await text()).toBe('the second');
    const folder = dirname(actorDatabasePath(node.ctx.config.dataDir, rei.did));
    const files = await readdir(folder);
    const contents = await Promise.all(files.map((file) => readFile(join(folder, file))));
    expect(contents.some((content) => content.includes('the second'))).toBe(true);
    expect(contents.some((content) => content.includes('burn after reading'))).toBe(false);
  },
);

it('answers the same content as before, without a commit', async () => {
  const record = postRecord('once');
  const first = await (await put(record)).json();
  const head = await node.ctx.service.events.head();
  expect(await (await put(record)).json()).toEqual(first);
  expect(await (await put(record, { swapRecord: null })).json()).toEqual(first);
  expect(await node.ctx.service.events.head()).toBe(head);
});

it('compares the record that it replaces', async () => {
  expect(await refusal(await put(postRecord('one'), { swapRecord: someCid }))).toEqual([
    409,
    'InvalidSwap',
  ]);
  const { cid } = await (await put(postRecord('one'), { swapRecord: null })).json();
  expect(await refusal(await put(postRecord('two'), { swapRecord: null }))).toEqual([
    409,
    'InvalidSwap',
  ]);
  expect(await refusal(await put(postRecord('two'), { swapRecord: someCid }))).toEqual([
    409,
    'InvalidSwap',
  ]);
  expect(await text()).toBe('one');
  expect((await put(postRecord('two'), { swapRecord: cid })).status).toBe(200);
  expect(await text()).toBe('two');
});

it('compares the commit that it follows', async () => {
  const { commit } = await (await put(postRecord('one'))).json();
  expect((await put(postRecord('two'), { swapCommit: commit.cid })).status).toBe(200);
  expect(await refusal(await put(postRecord('three'), { swapCommit: commit.cid }))).toEqual([
    409,
    'InvalidSwap',
  ]);
  expect(await text()).toBe('two');
});

it('compares what it deletes', async () => {
  const { cid, commit } = await (await put(postRecord('one'))).json();
  expect(await refusal(await remove({ swapRecord: someCid }))).toEqual([409, 'InvalidSwap']);
  expect(await refusal(await remove({ swapCommit: someCid }))).toEqual([409, 'InvalidSwap']);
  expect(await text()).toBe('one');
  const swaps = { swapRecord: cid, swapCommit: commit.cid };
  expect((await (await remove(swaps)).json()).commit).toBeDefined();
  const again = await remove(swaps);
  expect([again.status, await again.json()]).toEqual([200, {}]);
});
