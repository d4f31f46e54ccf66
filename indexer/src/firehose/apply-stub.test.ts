import { TID } from '@atproto/common-web';
import type { Create } from '@atproto/sync';
import { buildStub, type Cid, type Did, toAtUri, toCid, toDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inTransaction } from '../database.ts';
import { Author, create, update } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { replaceStubs } from './apply-stub.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
const { $nsid: collection } = zone.stratos.feed.post;

let world: World;
let rei: Author;
let uri: string;
let first: Cid;
let told: bigint;

beforeEach(async () => {
  world = await World.create();
  rei = await Author.create(REI);
  uri = rei.uri('3kaaa');
  told = 0n;
  await world.enroll(rei);
  await world.apply(await world.node.membership(rei, ['art']));
  first = await write(create('3kaaa', [world.node.boundary('art')]));
  await stub(first);
  await news();
});
afterEach(() => world[Symbol.asyncDispose]());

async function write(change: Parameters<Author['commit']>[0][number]): Promise<Cid> {
  const commit = await rei.commit([change]);
  await world.apply(world.node.commit(commit));
  return toCid(String(commit.ops[0]?.cid));
}

const edit = () => write(update('3kaaa', [world.node.boundary('art')]));

/** Has the PDS say which version is at the node, or nothing. */
async function stub(cid: Cid | undefined, nodeDid: Did = world.node.did): Promise<void> {
  const record =
    cid && buildStub({ uri: toAtUri(uri), cid, nodeDid, record: { $type: collection } });
  await world.firehose({
    ...{ seq: 1, time: '', did: REI, collection, rkey: '3kaaa', rev: TID.nextStr() },
    uri: { toString: () => uri },
    ...(record ? { event: 'update', record } : { event: 'delete' }),
  } as unknown as Create);
}

/** What was announced since the last time. */
async function news(): Promise<string[]> {
  const rows = await world.db.change.findMany({ where: { seq: { gt: told } } });
  told = rows.at(-1)?.seq ?? told;
  return rows.map(
    ({ kind, boundaries }) => `${kind} ${boundaries.map((one) => one.split('/')[1])}`,
  );
}

test('a new version is announced once more when the stub comes to name it', async () => {
  const second = await edit();
  expect(await news()).toEqual(['post art']);
  await stub(second);
  expect(await news()).toEqual(['post art']);
  await stub(second);
  expect(await news()).toEqual([]);
});

test('a stub that is there before its version is no news', async () => {
  const commit = await rei.commit([update('3kaaa', [world.node.boundary('art')])]);
  await stub(toCid(String(commit.ops[0]?.cid)));
  expect(await news()).toEqual([]);
  await world.apply(world.node.commit(commit));
  expect(await news()).toEqual(['post art']);
});

test.each<[string, () => Promise<void>]>([
  ['goes', () => stub(undefined)],
  ['names another node', () => stub(first, toDid('did:web:other.test'))],
])('a post is announced when a stub of another version %s', async (_, change) => {
  await edit();
  await news();
  await change();
  expect(await news()).toEqual(['post art']);
});

test('a stub that names neither is no news, nor is one of a post that nobody reads', async () => {
  await edit();
  await news();
  await stub(toCid('bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm'));
  expect(await news()).toEqual([]);
  await world.firehose(world.unenrollment(rei));
  await news();
  await stub(undefined);
  expect(await news()).toEqual([]);
});

test('of a whole PDS nothing is announced before the caller does', async () => {
  const second = await edit();
  await news();
  const record = buildStub({
    ...{ uri: toAtUri(uri), cid: second, nodeDid: world.node.did },
    record: { $type: collection },
  });
  const read = { did: REI, rev: TID.nextStr(), stubs: new Map([[uri, record]]) };
  const changes = await inTransaction(world.db, (tx) => replaceStubs(tx, read));
  expect(changes).toMatchObject([{ kind: 'post', uri, boundaries: [world.node.boundary('art')] }]);
  expect(await news()).toEqual([]);
  await edit();
  const gone = await inTransaction(world.db, (tx) =>
    replaceStubs(tx, { ...read, stubs: new Map() }),
  );
  expect(gone).toMatchObject([{ kind: 'post', uri }]);
  expect(await world.db.stub.count()).toBe(0);
});
