import type { AtUri, Boundary, Did } from '@stratos/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Prisma, type PrismaClient } from '../../generated/client.ts';
import { createPrismaClient } from '../client.ts';
import { GATEWAY_ROLE } from '../row-security/gateway-role.ts';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';
import {
  ancestors,
  authorFeed,
  boundaryMembers,
  changesAfter,
  countAuthorPosts,
  countPosts,
  countReferences,
  type FoundPost,
  homeTimeline,
  openScope,
  ownMemberships,
  ownPosts,
  ownPostsAt,
  postContents,
  postsAt,
  quotes,
  readablePosts,
  replies,
  type Slice,
  searchPosts,
  type Transaction,
} from './index.ts';

const NODE = 'did:web:node.test' as Did;
const [ART, FOOD, SECRET] = ['art', 'food', 'secret'].map((name) => `${NODE}/${name}`) as [
  Boundary,
  Boundary,
  Boundary,
];
const SCOPE = [ART, FOOD];
const VIEWER = 'did:plc:viewer' as Did;
const AUTHOR = 'did:plc:author' as Did;
const PAGE = { boundaries: SCOPE, after: undefined, limit: 10 };

let database: TestDatabase;
let prisma: PrismaClient;
beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient(database.url, { poolSize: 2 });
  const leaseUntil = new Date(Date.now() + 3_600_000);
  await prisma.node.create({ data: { did: NODE, endpoint: 'https://node.test', leaseUntil } });
  await enroll(VIEWER, SCOPE);
});
beforeEach(async () => {
  await prisma.$executeRaw`truncate stratos_post, stratos_stub cascade`;
});
afterAll(async () => {
  await prisma.$disconnect();
  await database[Symbol.asyncDispose]();
});

async function enroll(did: Did, boundaries: Boundary[]): Promise<void> {
  await prisma.membership.create({
    data: {
      did,
      nodeDid: NODE,
      active: true,
      seq: 1n,
      signingKey: 'did:key:z',
      issuedAt: new Date('2026-01-01'),
      boundaries: { create: boundaries.map((boundary) => ({ boundary })) },
    },
  });
}

interface Sketch {
  text?: string;
  boundaries?: Boundary[];
  readers?: Boundary[];
  parent?: AtUri;
  quote?: AtUri;
  author?: Did;
}

let second = 0;

async function write(rkey: string, sketch: Sketch = {}): Promise<AtUri> {
  const { text = rkey, boundaries = [ART], parent = null, quote = null, author = AUTHOR } = sketch;
  const uri = `at://${author}/zone.stratos.feed.post/${rkey}` as AtUri;
  const at = new Date(Date.UTC(2026, 0, 1, 0, 0, second++));
  await prisma.post.create({
    data: {
      uri,
      nodeDid: NODE,
      cid: `cid-${rkey}`,
      did: author,
      rkey,
      rev: 'rev',
      record: new Uint8Array([1]),
      text,
      replyRoot: parent,
      replyParent: parent,
      quote,
      createdAt: at,
      indexedAt: at,
      sortAt: at,
      boundaries,
    },
  });
  await prisma.postBoundary.createMany({
    data: (sketch.readers ?? boundaries).map((boundary) => ({
      boundary,
      sortAt: at,
      uri,
      nodeDid: NODE,
      did: author,
      cid: `cid-${rkey}`,
      indexedAt: at,
    })),
  });
  return uri;
}

async function timeline(transaction: Transaction, slice: Slice): Promise<FoundPost[]> {
  return (await homeTimeline(transaction, { ...slice, viewer: VIEWER })).posts;
}

/** Asks as the gateway does, for the viewer. */
function ask<T>(query: (transaction: Transaction) => Promise<T>): Promise<T> {
  return prisma.$transaction(async (transaction) => {
    await transaction.$executeRaw`set local role ${Prisma.raw(GATEWAY_ROLE)}`;
    await openScope(transaction, VIEWER);
    return query(transaction);
  });
}

async function found(
  query: (transaction: Transaction) => Promise<{ uri: AtUri }[]>,
): Promise<string[]> {
  return (await ask(query)).map(({ uri }) => uri.slice(uri.lastIndexOf('/') + 1));
}

test('a timeline has each post of the boundaries once, newest first', async () => {
  await write('a');
  await write('b', { boundaries: [ART, FOOD] });
  await write('c', { boundaries: [SECRET] });
  expect(await found((tx) => timeline(tx, PAGE))).toEqual(['b', 'a']);
});

test('feeds are walked from both ends, and from any post in both directions', async () => {
  for (const rkey of ['a', 'b', 'c', 'd']) await write(rkey, { boundaries: [ART, FOOD] });
  for (const rkey of ['x', 'y', 'z']) await write(rkey, { author: VIEWER });
  const feeds: [string[], (tx: Transaction, slice: Slice) => Promise<FoundPost[]>][] = [
    [['z', 'y', 'x', 'd', 'c', 'b', 'a'], timeline],
    [['d', 'c', 'b', 'a'], (tx, slice) => authorFeed(tx, { ...slice, author: AUTHOR })],
    [['z', 'y', 'x'], (tx, slice) => ownPosts(tx, { ...slice, author: VIEWER })],
  ];
  for (const [all, feed] of feeds) {
    const posts = await ask((tx) => feed(tx, { after: undefined, limit: 10 }));
    const walk = (slice: Slice) => found((tx) => feed(tx, slice));
    expect(await walk({ after: undefined, limit: 2 })).toEqual(all.slice(0, 2));
    expect(await walk({ after: undefined, limit: 2, reverse: true })).toEqual(
      all.toReversed().slice(0, 2),
    );
    for (const [place, after] of posts.entries()) {
      expect(await walk({ after, limit: 10 })).toEqual(all.slice(place + 1));
      expect(await walk({ after, limit: 10, reverse: true })).toEqual(
        all.slice(0, place).toReversed(),
      );
    }
  }
});

describe('replies and quotes', () => {
  test('are those of the boundaries, replies oldest and quotes newest first, in pages', async () => {
    const parent = await write('parent');
    await write('one', { parent });
    await write('two', { parent, boundaries: [ART, FOOD], quote: parent });
    await write('hidden', { parent, boundaries: [SECRET], quote: parent });
    await write('three', { parent, boundaries: [FOOD], quote: parent });
    const of = { ...PAGE, subjects: [parent] };
    expect(await found((tx) => replies(tx, of))).toEqual(['one', 'two', 'three']);
    expect(await found((tx) => quotes(tx, of))).toEqual(['three', 'two']);
    const first = await ask((tx) => replies(tx, { ...of, limit: 2 }));
    expect(await found((tx) => replies(tx, { ...of, after: first.at(-1) }))).toEqual(['three']);
    expect(await found((tx) => replies(tx, { ...of, limit: 2, reverse: true }))).toEqual([
      'three',
      'two',
    ]);
    expect(await found((tx) => replies(tx, { ...of, after: first.at(-1), reverse: true }))).toEqual(
      ['one'],
    );
    const [newest] = await ask((tx) => quotes(tx, of));
    expect(await found((tx) => quotes(tx, { ...of, after: newest }))).toEqual(['two']);
  });

  test('are found for many posts at once, a page for each', async () => {
    const [one, two] = [await write('one'), await write('two')];
    for (const rkey of ['a', 'b', 'c']) await write(rkey, { parent: one });
    await write('d', { parent: two, boundaries: [ART, FOOD] });
    await write('hidden', { parent: two, boundaries: [SECRET] });
    const answers = await ask((tx) => replies(tx, { ...PAGE, subjects: [two, one], limit: 2 }));
    expect(answers.map(({ subject, cid }) => [subject, cid])).toEqual([
      [two, 'cid-d'],
      [one, 'cid-a'],
      [one, 'cid-b'],
    ]);
  });

  test('are counted in the boundaries, each once, up to a limit', async () => {
    const parent = await write('parent');
    const other = await write('other');
    for (const rkey of ['a', 'b', 'c']) await write(rkey, { parent, boundaries: [ART, FOOD] });
    await write('d', { parent, boundaries: [SECRET], quote: other });
    await write('e', { quote: other });
    const count = (limit: number) =>
      ask((tx) => countReferences(tx, { subjects: [other, parent], boundaries: SCOPE, limit }));
    expect(await count(10)).toEqual([
      { subject: other, replies: 0, quotes: 1 },
      { subject: parent, replies: 3, quotes: 0 },
    ]);
    expect(await count(2)).toMatchObject([{ quotes: 1 }, { replies: 2 }]);
  });

  test('follow a new version of a post, and go with its readers', async () => {
    const [one, two] = [await write('one'), await write('two')];
    const uri = await write('reply', { parent: one });
    const at = { uri_nodeDid: { uri, nodeDid: NODE } };
    await prisma.post.update({ where: at, data: { replyRoot: two, replyParent: two } });
    expect(await found((tx) => replies(tx, { ...PAGE, subjects: [one] }))).toEqual([]);
    expect(await found((tx) => replies(tx, { ...PAGE, subjects: [two] }))).toEqual(['reply']);
    await prisma.postBoundary.deleteMany({ where: { uri } });
    expect(await found((tx) => replies(tx, { ...PAGE, subjects: [two] }))).toEqual([]);
  });
});

test('a thread goes up to the first post that may not be read', async () => {
  const root = await write('root');
  const hidden = await write('hidden', { parent: root, boundaries: [SECRET] });
  const upper = await write('upper', { parent: hidden });
  const middle = await write('middle', { parent: upper, boundaries: [FOOD] });
  const uri = await write('leaf', { parent: middle });
  const of = { uri, node: NODE };
  const chain = (limit: number) => found((tx) => ancestors(tx, { of, boundaries: SCOPE, limit }));
  expect(await chain(10)).toEqual(['middle', 'upper']);
  expect(await chain(1)).toEqual(['middle']);
});

test('posts that answer each other end', async () => {
  const uri = await write('a');
  const parent = await write('b', { parent: uri });
  const at = { uri_nodeDid: { uri, nodeDid: NODE } };
  await prisma.post.update({ where: at, data: { replyRoot: parent, replyParent: parent } });
  const chain = await ask((tx) =>
    ancestors(tx, { of: { uri, node: NODE }, boundaries: SCOPE, limit: 5 }),
  );
  expect(chain).toHaveLength(5);
});

test('posts at addresses come in the order that was asked for', async () => {
  const [a, b] = [await write('a'), await write('b', { boundaries: [FOOD, ART] })];
  const hidden = await write('hidden', { boundaries: [SECRET] });
  const gone = `${a}x` as AtUri;
  const uris = [b, gone, hidden, a];
  expect(await found((tx) => postsAt(tx, { uris, boundaries: SCOPE }))).toEqual(['b', 'a']);
});

test('an address of somebody else is nobody’s own', async () => {
  const mine = await write('mine', { author: VIEWER, boundaries: [SECRET], readers: [] });
  const theirs = await write('theirs');
  expect(await found((tx) => ownPostsAt(tx, { uris: [mine], author: VIEWER }))).toEqual(['mine']);
  expect(await found((tx) => ownPostsAt(tx, { uris: [theirs], author: VIEWER }))).toEqual([]);
});

test('a page of many boundaries is one of all their posts, from anywhere in both directions', async () => {
  const busy = 'did:plc:busy' as Did;
  const many = Array.from({ length: 6 }, (_, n) => `${NODE}/many${n}` as Boundary);
  await enroll(busy, many);
  // Half of the posts are in one boundary, many in several, and one boundary is empty.
  for (let n = 0; n < 48; n++) {
    const boundaries = many.filter((_, place) => n % (2 + place ** 2) === (place === 5 ? 99 : 0));
    await write(`m${n}`, { boundaries: boundaries.length > 0 ? boundaries : many.slice(3, 4) });
  }
  const rows = (slice: Slice) =>
    ask(async (tx) => (await homeTimeline(tx, { ...slice, viewer: busy })).posts);
  const page = async (slice: Slice) => (await rows(slice)).map(({ uri }) => uri);
  const all = await rows({ after: undefined, limit: 100 });
  const uris = all.map(({ uri }) => uri);
  expect(uris.map((uri) => uri.split('/m')[1])).toEqual(
    Array.from({ length: 48 }, (_, n) => String(47 - n)),
  );
  for (const limit of [1, 4, 13]) {
    for (const [place, after] of all.entries()) {
      expect(await page({ after, limit })).toEqual(uris.slice(place + 1, place + 1 + limit));
      const before = uris.slice(Math.max(0, place - limit), place);
      expect(await page({ after, limit, reverse: true })).toEqual(before.toReversed());
    }
  }
});

test('contents are of the node that was asked for', async () => {
  const uri = await write('a');
  const contents = await ask((tx) =>
    postContents(tx, [
      { uri, node: NODE },
      { uri, node: 'did:web:other' as Did },
    ]),
  );
  expect(contents).toMatchObject([{ uri, node: NODE, cid: 'cid-a', stubCid: null }]);
});

describe('a search', () => {
  const search = (words: string, boundaries: Boundary[] = SCOPE) =>
    found((tx) => searchPosts(tx, { ...PAGE, boundaries, words }));

  test('finds all words, in any case and order, newest first, each post once', async () => {
    await write('a', { text: 'Red apples and green pears' });
    await write('b', { text: 'A GREEN apple', boundaries: [ART, FOOD] });
    await write('c', { text: 'green apples', boundaries: [SECRET] });
    await write('d', { text: 'apples: green ones' });
    expect(await search('green apples')).toEqual(['d', 'a']);
    expect(await search('Green')).toEqual(['d', 'b', 'a']);
    expect(await search('green', [FOOD])).toEqual(['b']);
  });

  test('looks in no boundary that the transaction is not for', async () => {
    await write('c', { text: 'green', boundaries: [SECRET] });
    expect(await search('green', [SECRET])).toEqual([]);
    const slice = { ...PAGE, boundaries: [SECRET], words: 'green' };
    expect(await prisma.$transaction((transaction) => searchPosts(transaction, slice))).toEqual([]);
  });

  test('goes on after a position', async () => {
    for (const rkey of ['a', 'b', 'c']) await write(rkey, { text: 'word' });
    const slice = { ...PAGE, words: 'word', limit: 2 };
    const first = await ask((tx) => searchPosts(tx, slice));
    expect(first.map(({ cid }) => cid)).toEqual(['cid-c', 'cid-b']);
    expect(first[0]?.rank).toBeGreaterThan(0);
    expect(await found((tx) => searchPosts(tx, { ...slice, after: first.at(-1) }))).toEqual(['a']);
  });

  test.each([
    "' | x",
    '\\',
    "it''s",
    "o'neil & !green",
    "http://x.test/it's",
    "http://x.test/'|green",
    '1:green',
    ':*',
    'a<->b',
    "'\\''",
    '🦊',
    '',
  ])('takes %j for words', async (text) => {
    await write('a', { text: 'green' });
    await write('b', { text: `${text} fox` });
    expect(await search(`${text} fox`)).toEqual(['b']);
    expect(await search(text)).not.toContain('a');
  });

  test('finds nothing by no word', async () => {
    await write('a', { text: 'green' });
    expect(await search(' … ')).toEqual([]);
  });

  test('finds by the beginning of a word that is too long for an index', async () => {
    const long = 'x'.repeat(2_045);
    await write('a', { text: `${long} green` });
    expect(await search('green')).toEqual(['a']);
    expect(await search(long)).toEqual(['a']);
    expect(await search('x'.repeat(50))).toEqual([]);
  });

  test('follows a new version of a post, and what becomes of its readers', async () => {
    const uri = await write('a', { text: 'before' });
    const at = { uri_nodeDid: { uri, nodeDid: NODE } };
    await prisma.post.update({ where: at, data: { text: 'after' } });
    expect(await search('before')).toEqual([]);
    expect(await search('after')).toEqual(['a']);
    await prisma.postBoundary.deleteMany({ where: { uri } });
    expect(await search('after')).toEqual([]);
    const [sortAt, nodeDid, did] = [new Date('2026-01-01'), NODE, AUTHOR];
    const data = { boundary: FOOD, sortAt, uri, nodeDid, did, cid: 'cid-a', indexedAt: sortAt };
    await prisma.postBoundary.create({ data });
    expect(await search('after')).toEqual(['a']);
    await prisma.post.delete({ where: at });
    expect(await search('after')).toEqual([]);
  });
});

test('members are told one page after the other', async () => {
  const page = { boundary: ART, after: undefined, limit: 1 };
  expect(await ask((tx) => boundaryMembers(tx, page))).toEqual([VIEWER]);
  expect(await ask((tx) => boundaryMembers(tx, { ...page, after: VIEWER }))).toEqual([]);
});

test('somebody’s memberships are told with their boundaries', async () => {
  expect(await ask((tx) => ownMemberships(tx, VIEWER))).toEqual([
    {
      node: NODE,
      endpoint: 'https://node.test',
      active: true,
      boundaries: SCOPE,
      issuedAt: new Date('2026-01-01'),
      heard: true,
    },
  ]);
});

test('posts are counted in each boundary, up to a limit', async () => {
  for (const rkey of ['a', 'b', 'c']) await write(rkey);
  await write('d', { boundaries: [FOOD] });
  expect(await ask((tx) => countPosts(tx, { boundaries: [FOOD, ART], limit: 2 }))).toEqual([
    { boundary: FOOD, posts: 1 },
    { boundary: ART, posts: 2 },
  ]);
});

test('changes go on after a position, for whomever the transaction is', async () => {
  const uri = await write('a');
  await prisma.change.createMany({
    data: [
      { kind: 'post', nodeDid: NODE, did: AUTHOR, uri, boundaries: [SECRET] },
      { kind: 'account', did: AUTHOR },
    ],
  });
  const [first, second] = await ask((tx) => changesAfter(tx, { seq: 0n, limit: 2 }));
  const { seq = 0n, ...change } = first ?? {};
  expect(change).toEqual({ kind: 'post', node: NODE, did: AUTHOR, uri, boundaries: [SECRET] });
  expect(await ask((tx) => changesAfter(tx, { seq, limit: 1 }))).toEqual([second]);
  expect(await ask((tx) => changesAfter(tx, { seq: second?.seq ?? 0n, limit: 1 }))).toEqual([]);
});

test('posts of authors are counted in each boundary where there are any', async () => {
  for (const rkey of ['a', 'b', 'c']) await write(rkey, { boundaries: [ART, FOOD] });
  await write('d', { boundaries: [SECRET], author: VIEWER });
  const count = (limit: number) =>
    ask((tx) => countAuthorPosts(tx, { authors: [VIEWER, AUTHOR], boundaries: SCOPE, limit }));
  expect(await count(10)).toEqual([
    { author: AUTHOR, boundary: ART, posts: 3 },
    { author: AUTHOR, boundary: FOOD, posts: 3 },
  ]);
  expect(await count(2)).toMatchObject([{ posts: 2 }, { posts: 2 }]);
});

test('posts that may be read come with where that is, and others not at all', async () => {
  const both = await write('both', { boundaries: [ART, FOOD, SECRET] });
  const unread = await write('unread', { boundaries: [ART], readers: [] });
  const hidden = await write('hidden', { boundaries: [SECRET] });
  const absent = hidden.replace('hidden', 'absent') as AtUri;
  const wanted = [both, unread, hidden, absent].map((uri) => ({ uri, node: NODE }));
  const posts = await ask((tx) => readablePosts(tx, wanted));
  expect(posts).toMatchObject([{ uri: both, node: NODE, cid: 'cid-both', readers: [ART, FOOD] }]);
});
