import { com, zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AEKEA, postRecord, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';

const collection = zone.stratos.feed.post.$nsid;
const nsid = com.atproto.repo.listRecords.$nsid;
const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');
const kaoruko = TestPerson.named('kaoruko');
const haruki = TestPerson.named('haruki');
const mika = TestPerson.named('mika');
const LETTERS = [...'abcdefghijklmnopqrst'];
const rkeyOf = (letter: string) => `3l7${letter}222222222`;
/** Every third of the posts goes to aekea, the last of each ten to both. */
const audienceOf = (i: number) =>
  i % 10 === 9 ? [AEKEA, SWORDSMITH] : [i % 3 ? SWORDSMITH : AEKEA];
const seenBy = (boundary: string) =>
  LETTERS.filter((_, i) => audienceOf(i).includes(boundary as never));

let node: TestNode;
beforeAll(async () => {
  node = await TestNode.start({ people: [rei, sakura, kaoruko, haruki, mika] });
  await node.enroll(rei, [SWORDSMITH, AEKEA]);
  await node.enroll(sakura, [SWORDSMITH]);
  await node.enroll(kaoruko, [AEKEA]);
  await node.enroll(haruki, [AEKEA, SWORDSMITH]);
  const writes = LETTERS.map((letter, i) => ({
    action: 'create',
    collection,
    rkey: rkeyOf(letter),
    record: postRecord(letter, audienceOf(i)),
  }));
  const like = 'zone.stratos.feed.like';
  const other = { ...postRecord('of another collection'), $type: like };
  const more = { action: 'create', collection: like, rkey: 'self', record: other };
  expect((await node.applyWrites(rei, [...writes, more])).status).toBe(200);
});
afterAll(() => node[Symbol.asyncDispose]());

interface List {
  cursor?: string;
  records: { uri: string; cid: string; value: { text: string } }[];
}

async function list(viewer: TestPerson, params: Record<string, string> = {}): Promise<List> {
  const response = await node.query(viewer, nsid, { repo: rei.did, collection, ...params });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response.json();
}

async function pages(viewer: TestPerson, params: Record<string, string>): Promise<string[][]> {
  const found: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await list(viewer, { ...params, ...(cursor !== undefined && { cursor }) });
    found.push(page.records.map(({ value }) => value.text));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

function paged(letters: string[], size: number): string[][] {
  const found: string[][] = [];
  for (let i = 0; i < letters.length; i += size) found.push(letters.slice(i, i + size));
  return found;
}

describe('a list of records', () => {
  it.each([
    ['the owner', rei, LETTERS],
    ['a member of both boundaries', haruki, LETTERS],
    ['a member of one', sakura, seenBy(SWORDSMITH)],
    ['a member of the other', kaoruko, seenBy(AEKEA)],
  ])('has full pages of what %s may see, in both orders', async (_, viewer, letters) => {
    for (const size of [1, 4, 7, 20]) {
      const limit = `${size}`;
      expect(await pages(viewer, { limit })).toEqual(paged(letters.toReversed(), size));
      expect(await pages(viewer, { limit, reverse: 'true' })).toEqual(paged(letters, size));
    }
  });

  it('has no cursor when all that is left is hidden', async () => {
    const shown = seenBy(SWORDSMITH);
    expect(shown).not.toContain(LETTERS[0]);
    expect((await list(sakura, { limit: `${shown.length}` })).cursor).toBeUndefined();
    expect((await list(sakura, { limit: `${shown.length - 1}` })).cursor).toBe(
      rkeyOf(shown[1] ?? ''),
    );
    expect(await list(sakura, { cursor: rkeyOf('b') })).toEqual({ records: [] });
  });

  it('gives records as getRecord gives them', async () => {
    const [record] = (await list(sakura, { limit: '1' })).records;
    const params = { repo: rei.did, collection, rkey: rkeyOf('t') };
    const response = await node.query(sakura, com.atproto.repo.getRecord.$nsid, params);
    expect(await response.json()).toEqual(record);
  });

  it('goes by what a record says now', async () => {
    await node.enroll(mika, [SWORDSMITH, AEKEA]);
    const of = { repo: mika.did };
    const texts = async (viewer: TestPerson) =>
      (await list(viewer, of)).records.map(({ value }) => value.text);
    const { uri } = await node.createPost(mika, postRecord('moves'));
    const rkey = uri.split('/')[4] ?? '';
    expect([await texts(sakura), await texts(kaoruko)]).toEqual([['moves'], []]);
    const moved = { ...of, collection, rkey, record: postRecord('moved', [AEKEA]) };
    await node.procedure(mika, com.atproto.repo.putRecord.$nsid, moved);
    expect([await texts(sakura), await texts(kaoruko)]).toEqual([[], ['moved']]);
    await node.deletePost(mika, uri);
    expect([await texts(kaoruko), await texts(mika)]).toEqual([[], []]);
  });

  it('does not let an AppView read as if it were a member', async () => {
    expect(await list(node.appView)).toEqual({ records: [] });
  });

  it.each([
    ['no limit of zero', { limit: '0' }],
    ['no limit above a hundred', { limit: '101' }],
    ['no cursor that is none', { cursor: '../x' }],
  ])('has %s', async (_, params) => {
    const response = await node.query(sakura, nsid, { repo: rei.did, collection, ...params });
    expect([response.status, (await response.json()).error]).toEqual([400, 'InvalidRequest']);
  });
});
