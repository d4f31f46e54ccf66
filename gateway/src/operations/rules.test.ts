import { type AtUri, encodeRecord, toBoundary, toDid } from '@stratos/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Person } from '../testing/people.ts';
import { SURFACES } from '../testing/surfaces.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';
import type { WrittenPost } from '../testing/world.ts';

const node = toDid('did:web:node.test');
const open = toBoundary(`${node}/open`);
const closed = toBoundary(`${node}/closed`);

let gateway: TestGateway;
let viewer: Person;
let author: Person;
let token: string;
let posts: WrittenPost[];
/** Nothing of one test is still in memory in the next. */
let round = 0;

beforeAll(async () => {
  gateway = await startTestGateway();
  viewer = gateway.people.add('viewer');
  author = gateway.people.add('author');
  token = await gateway.session(viewer);
});
afterAll(() => gateway[Symbol.asyncDispose]());

beforeEach(async () => {
  const { world } = gateway;
  await world.prisma.$executeRawUnsafe(
    'truncate stratos_node, stratos_stub, stratos_membership, stratos_post cascade',
  );
  await world.node(node);
  await world.member(viewer.did, node, [open]);
  posts = [];
  round += 1;
  for (let second = 0; second < 12; second++) {
    const at = new Date(Date.UTC(2026, 0, 1, 0, round, second));
    const facts = { author: author.did, node, boundaries: [open], rkey: `r${second}`, at };
    posts.unshift(await world.post(facts));
  }
});

function at(index: number): WrittenPost {
  const post = posts[index];
  if (!post) throw new Error('no such post');
  return post;
}

function alter(
  post: WrittenPost,
  data: { record?: Uint8Array<ArrayBuffer>; cid?: string; text?: string },
) {
  const id = { uri: post.uri, nodeDid: node };
  return gateway.world.prisma.post.update({ where: { uri_nodeDid: id }, data });
}

async function otherRecord() {
  const { bytes, cid } = await encodeRecord({
    text: 'not what was signed',
    boundary: { values: [{ value: open }] },
    createdAt: new Date().toISOString(),
  });
  return { record: new Uint8Array(bytes), cid };
}

async function page(limit: number): Promise<string[]> {
  const [surface] = SURFACES;
  const { posts: seen } = (await surface?.feed(gateway.url, token, { limit })) ?? { posts: [] };
  return seen.map(({ uri }) => uri);
}

const uris = (list: WrittenPost[]): AtUri[] => list.map(({ uri }) => uri);

describe('a record that was altered behind our back is not served, and the page stays full', () => {
  test('its bytes', async () => {
    await alter(at(1), { record: (await otherRecord()).record });
    expect(await page(4)).toEqual(uris([at(0), at(2), at(3), at(4)]));
    for (const surface of SURFACES)
      expect(await surface.post(gateway.url, token, at(1).uri)).toBeNull();
  });

  test('its CID', async () => {
    await alter(at(0), { cid: at(1).cid });
    expect(await page(4)).toEqual(uris(posts.slice(1, 5)));
  });

  test('both together, where the author’s stub names the true one', async () => {
    await gateway.world.stub(at(2), node);
    expect(await page(4)).toEqual(uris(posts.slice(0, 4)));
    await alter(at(2), await otherRecord());
    expect(await page(4)).toEqual(uris([at(0), at(1), at(3), at(4)]));
  });

  test('many in a row', async () => {
    const { record } = await otherRecord();
    for (const post of posts.slice(1, 10)) await alter(post, { record });
    expect(await page(3)).toEqual(uris([at(0), at(10), at(11)]));
    expect(await page(2)).toEqual(uris([at(0), at(10)]));
  });

  test('its CID, when all of them are in memory', async () => {
    expect(await page(4)).toEqual(uris(posts.slice(0, 4)));
    await alter(at(0), { cid: at(1).cid });
    expect(await page(4)).toEqual(uris(posts.slice(1, 5)));
  });
});

test('a post that is in memory is what was verified, whatever became of its row', async () => {
  expect(await page(2)).toEqual(uris(posts.slice(0, 2)));
  await alter(at(1), { record: (await otherRecord()).record });
  const { posts: seen } = (await SURFACES[0]?.feed(gateway.url, token, { limit: 2 })) ?? {};
  expect(seen?.[1]).toMatchObject({ cid: at(1).cid, record: { text: 'r10' } });
});

test('a post in memory is not there for whoever may not read it', async () => {
  expect(await page(2)).toEqual(uris(posts.slice(0, 2)));
  await gateway.world.prisma.postBoundary.deleteMany({ where: { uri: at(0).uri } });
  expect(await page(2)).toEqual(uris(posts.slice(1, 3)));
});

test('columns beside the record change nothing of what is shown', async () => {
  await alter(at(0), { text: 'not what was signed' });
  for (const surface of SURFACES) {
    const post = await surface.post(gateway.url, token, at(0).uri);
    expect(post?.record).toMatchObject({ text: 'r11' });
  }
});

test('a row that puts a record into a wider boundary does not widen it', async () => {
  const facts = { author: author.did, node, boundaries: [closed], rkey: 'secret' };
  const secret = await gateway.world.post({ ...facts, readers: [closed, open] });
  expect(await page(3)).toEqual(uris(posts.slice(0, 3)));
  for (const surface of SURFACES)
    expect(await surface.post(gateway.url, token, secret.uri)).toBeNull();
});

test('a row that puts a record into another boundary of the viewer does not put it there', async () => {
  await gateway.world.member(viewer.did, node, [open, closed]);
  const facts = { author: author.did, node, boundaries: [open], rkey: 'misplaced', text: 'word' };
  const { uri } = await gateway.world.post({ ...facts, readers: [open, closed] });
  for (const surface of SURFACES) {
    for (const feed of [
      { operation: 'timeline' },
      { operation: 'authorFeed', actor: author.did },
      { operation: 'search', text: 'word' },
    ] as const) {
      const seen = async (boundary: string) =>
        JSON.stringify(await surface.see(gateway.url, token, { ...feed, boundary }));
      expect(await seen(open)).toContain(uri);
      expect(await seen(closed)).not.toContain(uri);
    }
  }
});

test('a boundary that the viewer does not share is nowhere in the answer', async () => {
  const facts = { author: author.did, node, boundaries: [open, closed], rkey: 'both' };
  const both = await gateway.world.post(facts);
  const theirs = await gateway.session(author);
  for (const surface of SURFACES) {
    const { body } = await surface.rawPost(gateway.url, token, both.uri);
    expect(body).toContain(open);
    expect(body).not.toContain(closed);
    expect((await surface.rawPost(gateway.url, theirs, both.uri)).body).toContain(closed);
  }
});

test('a node cannot put its record into the boundary of another node', async () => {
  const other = toDid('did:web:other.test');
  await gateway.world.node(other);
  const own = toBoundary(`${other}/own`);
  const facts = { author: author.did, node: other, boundaries: [open, own], rkey: 'foreign' };
  const foreign = await gateway.world.post({ ...facts, readers: [own] });
  for (const surface of SURFACES)
    expect(await surface.post(gateway.url, token, foreign.uri)).toBeNull();
});

test('a lease that lapses hides the node, and coming back brings all of it back', async () => {
  await gateway.world.node(node, { leaseUntil: new Date(Date.now() - 1) });
  expect(await page(3)).toEqual([]);
  for (const surface of SURFACES)
    expect(await surface.post(gateway.url, token, at(0).uri)).toBeNull();
  await gateway.world.node(node, { leaseUntil: null });
  expect(await page(3)).toEqual([]);
  await gateway.world.node(node);
  expect(await page(3)).toEqual(uris(posts.slice(0, 3)));
});

test('who is removed from a boundary sees it no more, but still what they wrote', async () => {
  const own = await gateway.world.post({
    author: viewer.did,
    node,
    boundaries: [open],
    rkey: 'own',
  });
  await gateway.world.member(viewer.did, node, []);
  expect(await page(3)).toEqual([]);
  for (const surface of SURFACES) {
    const { posts: mine } = await surface.feed(gateway.url, token, { actor: viewer.did });
    expect(mine.map(({ uri }) => uri)).toEqual([own.uri]);
    expect(await surface.post(gateway.url, token, own.uri)).not.toBeNull();
    expect(await surface.post(gateway.url, token, at(0).uri)).toBeNull();
  }
});

test('of two nodes that hold an address, the one that the stub names is answered', async () => {
  const other = toDid('did:web:zz.test');
  await gateway.world.node(other);
  const own = toBoundary(`${other}/own`);
  await gateway.world.member(viewer.did, other, [own]);
  const facts = { author: author.did, node: other, boundaries: [own], rkey: 'r0', text: 'of zz' };
  const twin = await gateway.world.post(facts);
  const answer = async () => (await SURFACES[0]?.post(gateway.url, token, twin.uri))?.cid;
  expect(await answer()).toBe(at(11).cid);
  await gateway.world.stub(twin, other);
  expect(await answer()).toBe(twin.cid);
});

test('an account that is not active is not read', async () => {
  await gateway.world.actor(author.did, { active: false });
  expect(await page(3)).toEqual([]);
  await gateway.world.actor(author.did);
  expect(await page(3)).toHaveLength(3);
});

test('a cursor is for who was given it', async () => {
  await gateway.world.member(author.did, node, [open]);
  const theirs = await gateway.session(author);
  for (const surface of SURFACES) {
    const { cursor } = await surface.feed(gateway.url, token, { limit: 2 });
    await surface.feed(gateway.url, token, { limit: 2, cursor });
    for (const [who, args] of [
      [theirs, { cursor }],
      [token, { cursor, boundary: open }],
      [token, { cursor, actor: author.did }],
    ] as const) {
      await expect(surface.feed(gateway.url, who, args)).rejects.toMatchObject({
        body: expect.stringMatching(/INVALID_CURSOR|InvalidCursor/),
      });
    }
  }
});
