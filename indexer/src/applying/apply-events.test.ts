import { SigningKey, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TakenOverError } from '../followers/fence.ts';
import { Author, create, postRecord, remove, update, type Write } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { BrokenTrustError } from './apply-event.ts';
import type { NodeEvent } from './node-event.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
const SAKURA = toDid('did:plc:bbbbbbbbbbbbbbbbbbbbbbbb');

let world: World;
let rei: Author;
let sakura: Author;
let art: string;

beforeEach(async () => {
  world = await World.create();
  rei = await Author.create(REI);
  sakura = await Author.create(SAKURA);
  art = world.node.boundary('art');
  await world.enroll(rei);
  await world.enroll(sakura);
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

/** A bit of everything, of two people. */
async function history(): Promise<NodeEvent[]> {
  const { node } = world;
  const writers = node.boundary('writers');
  return [
    await node.membership(rei, ['art', 'writers']),
    node.commit(await rei.genesis()),
    await node.membership(sakura, ['art']),
    node.commit(await rei.commit([create('3kaaa', [art]), create('3kbbb', [art, writers])])),
    node.commit(await sakura.post('3kccc', [art])),
    node.commit(await rei.commit([update('3kaaa', [writers]), create('3kddd', [art])])),
    node.commit(await rei.commit([remove('3kbbb')])),
    node.commit(await rei.post('3kbbb', [art], 'again')),
    await node.membership(rei, ['art']),
    node.commit(await rei.post('3keee', [writers])),
    node.commit(await rei.commit([update('3kddd', ['did:web:other.example/art'])])),
    node.commit(await sakura.post('3kfff', [writers])),
    node.commit(await sakura.commit([remove('3kccc')])),
    await node.heartbeat(),
  ];
}

async function snapshot(): Promise<unknown> {
  const { db } = world;
  const [posts, node] = [
    await db.post.findMany({ orderBy: { uri: 'asc' } }),
    await db.node.findFirst(),
  ];
  return [
    posts.map(({ indexedAt, sortAt, ...post }) => post),
    [node?.streamCursor, node?.membershipSeq, node?.membershipHead, node?.newestSeq],
    await world.readable(),
    await db.membership.findMany({ orderBy: { did: 'asc' } }),
    await db.membershipBoundary.findMany({ orderBy: [{ did: 'asc' }, { boundary: 'asc' }] }),
    (await db.tombstone.findMany()).map(({ uri, rev }) => [uri, rev]).toSorted(),
    (await db.repo.findMany({ orderBy: { did: 'asc' } })).map(({ updatedAt, ...repo }) => repo),
    await db.proof.findMany({ orderBy: [{ did: 'asc' }, { rev: 'asc' }] }),
    (await db.quarantined.findMany({ orderBy: { id: 'asc' } })).map(({ reason, uri }) => [
      reason,
      uri,
    ]),
  ];
}

test('events that are applied together leave what they leave one by one', async () => {
  const events = await history();
  const transaction = vi.spyOn(world.db, '$transaction');
  const { refusals } = await world.applyAll(events);
  expect(transaction).toHaveBeenCalledOnce();
  expect(refusals).toEqual(['boundary-not-held', 'foreign-boundary', 'boundary-not-held']);
  const together = await snapshot();
  expect(await world.readable()).toEqual(['3kaaa writers', '3kbbb art']);
  await world.empty();
  for (const event of events) await world.apply(event);
  expect(await snapshot()).toEqual(together);
});

test('and whatever of them came before changes nothing', async () => {
  const events = await history();
  await world.applyAll(events.slice(0, 9));
  await world.applyAll(events);
  const before = await snapshot();
  await world.applyAll(events);
  expect(await snapshot()).toEqual(before);
  expect(await world.refusals()).toHaveLength(3);
});

test('what the database cannot hold costs only itself', async () => {
  const { node } = world;
  const far = { uri: `at://did:plc:${'a'.repeat(1_200)}/app.bsky.feed.post/3k`, cid: '' };
  const events = [
    await node.membership(rei, ['art']),
    await node.membership(sakura, ['art']),
    node.commit(await sakura.post('3kaaa', [art])),
  ];
  const [{ commit }] = [await rei.genesis()];
  far.cid = commit.toString();
  const long = create('3kbbb', [art]) as Write & { record: object };
  const record = { ...postRecord([art], 'x'), reply: { root: far, parent: far } };
  events.push(node.commit(await rei.commit([{ ...long, record } as Write])));
  events.push(node.commit(await sakura.post('3kccc', [art])));
  expect((await world.applyAll(events)).refusals).toEqual(['not-storable']);
  expect(await world.readable()).toEqual(['3kaaa art', '3kccc art']);
  expect(Number((await world.db.node.findFirstOrThrow()).streamCursor)).toBe(5);
});

test('what comes before a broken word counts, and nothing from there on', async () => {
  const { node } = world;
  const events = [
    await node.membership(rei, ['art']),
    node.commit(await rei.post('3kaaa', [art])),
    await node.membership(rei, [], { signedBy: SigningKey.generate('secp256k1') }),
    node.commit(await rei.post('3kbbb', [art])),
  ];
  await expect(world.applyAll(events)).rejects.toThrow(BrokenTrustError);
  expect(await world.readable()).toEqual(['3kaaa art']);
  expect(await world.refusals()).toEqual(['membership:bad-signature']);
  expect(Number((await world.db.node.findFirstOrThrow()).streamCursor)).toBe(2);
});

test('whoever was taken over writes nothing', async () => {
  const { db } = world;
  await db.node.updateMany({ data: { follower: 'a', followEpoch: 3n } });
  const events = await history();
  const before = await snapshot();
  for (const fence of [
    { follower: 'b', epoch: 3n },
    { follower: 'a', epoch: 2n },
  ]) {
    await expect(world.applyAll(events, { fence })).rejects.toThrow(TakenOverError);
  }
  expect(await snapshot()).toEqual(before);
  await world.applyAll(events, { fence: { follower: 'a', epoch: 3n } });
  expect(await world.readable()).toHaveLength(2);
});

test('the newest statement about a person is kept as it was signed', async () => {
  const { node, db } = world;
  await world.applyAll([await node.membership(rei, ['art']), await node.membership(rei, [])]);
  const { entry, seq } = await db.membership.findFirstOrThrow();
  expect(seq).toBe(2n);
  expect(Buffer.from(entry ?? [])).toEqual(Buffer.from(node.entries[1]?.bytes ?? []));
});

test('what the node says of its newest position is kept', async () => {
  const events = await history();
  await world.applyAll([...events.slice(0, 2), await world.node.heartbeat()]);
  expect(await world.db.node.findFirst()).toMatchObject({ streamCursor: 2n, newestSeq: 13n });
});
