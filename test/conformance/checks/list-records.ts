import assert from 'node:assert/strict';
import { com, zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import { assertSame } from '../world/answer.ts';
import { type Person, postRecord } from '../world/person.ts';
import type { World } from '../world/world.ts';

const { listRecords, applyWrites } = com.atproto.repo;
const collection = zone.stratos.feed.post.$nsid;
type Output = com.atproto.repo.listRecords.$OutputBody;

/** com.atproto.repo.listRecords. */
export const listsOfRecords = new CheckGroup('list-records', ['people']);

async function list(viewer: Person, repo: string, params = {}): Promise<Output> {
  return (await viewer.query(listRecords, { repo, collection, ...params })).ok();
}

/** Writes posts with ascending keys; their addresses, newest first. */
async function writePosts(author: Person, boundaries: readonly string[]): Promise<string[]> {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  const writes = boundaries.map((boundary, i) => ({
    $type: applyWrites.create.$type,
    collection,
    rkey: `3jzfcijpj3a2${letters[i]}`,
    value: postRecord(`Post ${i}`, [boundary]),
  }));
  (await author.apply(writes)).ok();
  return writes.map(({ rkey }) => `at://${author.did}/${collection}/${rkey}`).reverse();
}

listsOfRecords.add(
  'shows a member the records of their boundaries, newest first',
  async ({ people }) => {
    const { author, member, shared } = people;
    const uris = await writePosts(author, [shared, shared, shared]);
    const { records } = await list(member, author.did);
    const seen = records.map(({ uri }) => String(uri)).filter((uri) => uris.includes(uri));
    assert.deepEqual(seen, uris);
  },
);

listsOfRecords.add('reverses the order when asked', async ({ people }) => {
  const { author, member, shared } = people;
  const uris = await writePosts(author, [shared, shared, shared]);
  const { records } = await list(member, author.did, { reverse: true });
  const seen = records.map(({ uri }) => String(uri)).filter((uri) => uris.includes(uri));
  assert.deepEqual(seen, uris.reverse());
});

listsOfRecords.add('goes through all records in pages, each once', async ({ people }) => {
  const { author, member, shared } = people;
  const uris = await writePosts(author, [shared, shared, shared, shared, shared]);
  const seen = await pages(member, author, 2);
  assert.equal(new Set(seen).size, seen.length);
  assert.deepEqual(
    seen.filter((uri) => uris.includes(uri)),
    uris,
  );
});

listsOfRecords.add('has no cursor on the last page', async ({ people }) => {
  const { author, shared } = people;
  await writePosts(author, [shared, shared]);
  assert.equal((await list(author, author.did, { limit: 100 })).cursor, undefined);
});

listsOfRecords.add('shows outsiders nothing, as of an empty repo', async (world) => {
  const { author, outsider, shared } = world.people;
  await writePosts(author, [shared, shared]);
  const hidden = await outsider.query(listRecords, { repo: author.did, collection });
  assert.deepEqual(hidden.ok<Output>().records, []);
  const nobody = { repo: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa', collection };
  assertSame(hidden, await outsider.query(listRecords, nobody));
});

listsOfRecords.add('shows strangers nothing', async ({ node, people }) => {
  const { author, shared } = people;
  await writePosts(author, [shared]);
  const answer = await node.call(listRecords, { params: { repo: author.did, collection } });
  if (answer.status === 200) assert.deepEqual(answer.ok<Output>(), { records: [] });
  else answer.refused(401, 'AuthRequired');
});

listsOfRecords.add(
  'fills its pages though records between are hidden',
  ['operator'],
  async (world) => {
    const { author, member, shared } = world.people;
    const visible = await mixedPosts(world);
    const { records, cursor } = await list(member, author.did, { limit: visible.length });
    assert.deepEqual(
      records.map(({ uri }) => uri),
      visible,
    );
    assert.equal(cursor, undefined, `there is a cursor though nothing of ${shared} is left`);
  },
);

listsOfRecords.add('has cursors that carry nothing hidden', ['operator'], async (world) => {
  const { author, member } = world.people;
  const visible = await mixedPosts(world);
  const { cursor = '' } = await list(member, author.did, { limit: 2 });
  const keys = visible.map((uri) => uri.split('/').at(-1) ?? '');
  const hidden = 'abcdefgh'.split('').map((letter) => `3jzfcijpj3a2${letter}`);
  for (const key of hidden.filter((each) => !keys.includes(each))) {
    assert.ok(!cursor.includes(key), `the cursor has the key of a hidden record`);
  }
});

listsOfRecords.add('refuses a limit beyond 100, or below 1', async ({ people }) => {
  const { author } = people;
  for (const limit of [0, 101, -1]) {
    const answer = await author.query(listRecords, { repo: author.did, collection, limit });
    answer.refused(400, 'InvalidRequest');
  }
});

listsOfRecords.add('refuses a cursor that is none', async ({ people }) => {
  const { author } = people;
  const params = { repo: author.did, collection, cursor: '../../etc?' };
  (await author.query(listRecords, params)).refused(400, 'InvalidRequest');
});

listsOfRecords.add('shows of another collection nothing', async ({ people }) => {
  const { author, shared } = people;
  await writePosts(author, [shared]);
  const params = { repo: author.did, collection: 'zone.stratos.feed.other' };
  assert.deepEqual((await author.query(listRecords, params)).ok<Output>().records, []);
});

async function pages(viewer: Person, author: Person, limit: number): Promise<string[]> {
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await list(viewer, author.did, { limit, ...(cursor && { cursor }) });
    seen.push(...page.records.map(({ uri }) => uri));
    if (page.cursor !== undefined) assert.equal(page.records.length, limit, 'a page is short');
    cursor = page.cursor;
  } while (cursor !== undefined);
  return seen;
}

/** Alternately visible and hidden posts of the author; the visible ones of all theirs, newest first. */
async function mixedPosts(world: World): Promise<string[]> {
  const { author, member, shared } = world.people;
  const other = world.otherBoundary;
  await world.withBoundaries(author, [shared, other]);
  await world.withBoundaries(member, [shared]);
  const mix = [shared, other, shared, other, shared, other, other, shared];
  await writePosts(author, mix);
  const { records } = await list(author, author.did, { limit: 100 });
  return records
    .filter(({ value }) => JSON.stringify(value).includes(`"${shared}"`))
    .map(({ uri }) => String(uri));
}
