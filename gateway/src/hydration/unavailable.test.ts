import { type AtUri, type Boundary, qualifyBoundary } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Gateway, startGateway } from '../service.ts';
import { AnsweringNode } from '../testing/answering-node.ts';
import type { Person } from '../testing/people.ts';
import type { Question, SeenPage, SeenPost, SeenUnavailable } from '../testing/questions.ts';
import { graphql, SURFACES, type Surface, trpc, xrpc } from '../testing/surfaces.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';
import type { PostFacts, WrittenPost } from '../testing/world.ts';

const [surface] = SURFACES as [Surface, ...Surface[]];

let stack: AsyncDisposableStack;
let stored: TestGateway;
let near: AnsweringNode;
let far: AnsweringNode;
let viewer: Person;
let author: Person;
let token: string;
let gateway: Gateway;
let url: string;
let written: number;
/** Of the author and the viewer: they share `open` and `second` of each node. */
let open: { near: Boundary; far: Boundary };
let second: Boundary;
let closed: Boundary;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  near = stack.use(await AnsweringNode.start());
  far = stack.use(await AnsweringNode.start());
  stored = stack.use(await startTestGateway());
  for (const node of [near, far]) node.world = stored.world;
  [viewer, author] = [stored.people.add('viewer'), stored.people.add('author')];
  token = await stored.session(viewer);
  open = { near: qualifyBoundary(near.did, 'open'), far: qualifyBoundary(far.did, 'open') };
  [second, closed] = [qualifyBoundary(far.did, 'second'), qualifyBoundary(far.did, 'closed')];
});
afterAll(() => stack.disposeAsync());

/** A gateway that has nothing in memory, and a world with nobody's posts. */
beforeEach(async () => {
  const { world, config } = stored;
  await world.prisma.$executeRawUnsafe(
    'truncate stratos_node, stratos_actor, stratos_stub, stratos_membership, stratos_post cascade',
  );
  for (const { did } of [near, far]) await world.node(did);
  await world.actor(author.did);
  await world.member(viewer.did, near.did, [open.near]);
  await world.member(viewer.did, far.did, [open.far, second]);
  for (const node of [near, far]) {
    node.asked.length = 0;
    node.behaves = 'honest';
  }
  written = 0;
  gateway = await startGateway({ ...config, content: 'hydrate', port: 0 });
  url = `http://localhost:${gateway.port}`;
  return () => gateway[Symbol.asyncDispose]();
});

function post(facts: Partial<PostFacts> = {}): Promise<WrittenPost> {
  written += 1;
  const at = new Date(Date.UTC(2026, 0, 1, 0, 0, written));
  return stored.world.post({
    ...{ author: author.did, node: far.did, boundaries: [open.far], at },
    ...{ rkey: `r${written}`, text: `fox ${written}` },
    ...facts,
  });
}

const postNear = (facts: Partial<PostFacts> = {}) =>
  post({ node: near.did, boundaries: [open.near], ...facts });

function named({ uri, node }: WrittenPost): SeenUnavailable {
  return { uri, node };
}

/** All pages, one after another: what they have, and what they lack. */
async function walk(door: Surface, question: Question) {
  const pages: { posts: string[]; unavailable: SeenUnavailable[] }[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = (await door.see(url, token, { ...question, cursor } as Question)) as SeenPage;
    const { posts, unavailable } = page;
    pages.push({ posts: posts.map(({ uri }) => uri), unavailable });
    cursor = page.cursor;
    if (cursor === undefined) return pages;
  }
}

/** What the timeline lacks. */
async function lacking(question: Partial<Question> = {}): Promise<SeenUnavailable[]> {
  const asked = { operation: 'timeline', ...question } as Question;
  const { unavailable } = (await surface.see(url, token, asked)) as SeenPage;
  return unavailable;
}

/** Which of some addresses are said to be unavailable, as each surface says it. */
async function unavailableAt(uris: string[]): Promise<SeenUnavailable[][]> {
  const query = 'query ($uris: [AtUri!]!) { unavailablePosts(uris: $uris) { uri node } }';
  const { $nsid } = zone.stratos.feed.getPosts;
  const answers = [
    await graphql(url, token, query, { uris }),
    await trpc(url, token, 'unavailablePosts', { uris }),
    await xrpc(url, token, $nsid, { uris }),
  ].map(({ body }) => JSON.parse(body));
  const [overGraphql, overTrpc, overXrpc] = answers;
  return [overGraphql.data.unavailablePosts, overTrpc.result.data, overXrpc.unavailable];
}

describe.each(SURFACES)('over $name', (door) => {
  test('pages have posts of a dead node in their place, once each, and go on past them', async () => {
    const root = await postNear();
    const all: WrittenPost[] = [];
    for (const one of [post, post, postNear, post, postNear, postNear, post, post, post]) {
      all.unshift(await one({ parent: root }));
    }
    far.behaves = 'dies';
    const limit = 2;
    const questions: [Question, WrittenPost[]][] = [
      [{ operation: 'timeline', limit }, [...all, root]],
      [{ operation: 'timeline', limit, direction: 'backward' }, [...all, root]],
      [{ operation: 'authorFeed', actor: author.did, limit }, [...all, root]],
      [{ operation: 'search', text: 'fox', limit }, [...all, root]],
      [{ operation: 'replies', uri: root.uri, limit }, all.toReversed()],
    ];
    for (const [question, feed] of questions) {
      const isBackward = 'direction' in question;
      const chunks: WrittenPost[][] = [];
      for (let at = 0; at < feed.length; at += limit) {
        const [from, to] = isBackward ? [feed.length - at - limit, feed.length - at] : [at, at + 2];
        chunks.push(feed.slice(Math.max(0, from), to));
      }
      expect(await walk(door, question)).toEqual(
        chunks.map((chunk) => ({
          posts: chunk.filter(({ node }) => node === near.did).map(({ uri }) => uri),
          unavailable: chunk.filter(({ node }) => node === far.did).map(named),
        })),
      );
    }
  });
});

test('posts by their addresses are told of by themselves, where no other node gives them', async () => {
  const [there, gone, twice] = [await postNear(), await post(), await post()];
  const elsewhere = await postNear({ rkey: twice.rkey });
  far.behaves = 'dies';
  expect(elsewhere.uri).toBe(twice.uri);
  const uris = [gone.uri, there.uri, twice.uri, gone.uri, `${gone.uri}x`];
  for (const said of await unavailableAt(uris)) expect(said).toEqual([named(gone)]);
  for (const door of SURFACES) {
    const seen = (await door.see(url, token, { operation: 'posts', uris })) as (SeenPost | null)[];
    expect(seen.map((one) => one?.uri)).toEqual([
      ...[undefined, there.uri, twice.uri, undefined, undefined],
    ]);
  }
});

test('replies in a thread are told of in their place', async () => {
  const root = await postNear();
  const gone = await post({ parent: root });
  far.behaves = 'dies';
  const overTrpc = await trpc(url, token, 'thread', { uri: root.uri });
  const overXrpc = await xrpc(url, token, zone.stratos.feed.getPostThread.$nsid, { uri: root.uri });
  expect(JSON.parse(overTrpc.body).result.data.replies.unavailable).toEqual([named(gone)]);
  expect(JSON.parse(overXrpc.body).thread.replies.unavailable).toEqual([named(gone)]);
});

test('a page asks a node that stalls once more, and then goes without it', async () => {
  for (let i = 0; i < 5; i++) await post();
  const there = await postNear();
  far.behaves = 'stalls';
  const [page] = await walk(surface, { operation: 'timeline' });
  expect([page?.posts, page?.unavailable.length]).toEqual([[there.uri], 5]);
  expect(far.asked.map(({ uris }) => uris)).toEqual([5, 5]);
});

test('a post that is unavailable is not asked for again by its stub', async () => {
  const gone = await post();
  await stored.world.stub(gone, far.did);
  far.behaves = 'stalls';
  expect(await surface.post(url, token, gone.uri)).toBeNull();
  expect(far.asked).toHaveLength(2);
});

test('nothing is unavailable where contents are in the database', async () => {
  const { uri } = await post();
  far.behaves = 'dies';
  const { posts, unavailable } = await surface.feed(stored.url, token, {});
  expect([posts.map((one) => one.uri), unavailable]).toEqual([[uri], []]);
});

describe('of a post on a node that does not answer nobody is told', () => {
  const told = async (hidden: { uri: string }, question?: Partial<Question>) => {
    const all = [await lacking(question), ...(await unavailableAt([hidden.uri]))];
    return all.flat().filter(({ uri }) => uri === hidden.uri).length;
  };
  /** How often one is told of who may know. */
  const ALWAYS = 4;

  beforeEach(() => {
    far.behaves = 'dies';
  });

  test('who is in none of its boundaries', async () => {
    expect(await told(await post())).toBe(ALWAYS);
    expect(await told(await post({ boundaries: [closed] }))).toBe(0);
  });

  test('who is no member any more, or whose node is not heard', async () => {
    const hidden = await post();
    expect(await told(hidden)).toBe(ALWAYS);
    await stored.world.node(far.did, { leaseUntil: new Date(0) });
    expect(await told(hidden)).toBe(0);
    await stored.world.node(far.did);
    await stored.world.member(viewer.did, far.did, [open.far], false);
    expect(await told(hidden)).toBe(0);
  });

  test('who shares another boundary than the one of the feed', async () => {
    const hidden = await post({ boundaries: [second] });
    expect(await lacking({ boundary: second })).toEqual([named(hidden)]);
    expect(await lacking({ boundary: open.far })).toEqual([]);
    expect(await lacking({ boundary: closed })).toEqual([]);
  });

  test('whose author has no account in use, but the author', async () => {
    const [hidden, own] = [await post(), await post({ author: viewer.did, boundaries: [closed] })];
    await stored.world.actor(author.did, { active: false });
    await stored.world.actor(viewer.did, { active: false });
    expect(await told(hidden)).toBe(0);
    expect(await told(own, { operation: 'authorFeed', actor: viewer.did })).toBe(ALWAYS);
  });

  test('of which there is a stub alone', async () => {
    const shown = await post();
    const hidden = { ...shown, uri: `${shown.uri}ahead` as AtUri };
    await stored.world.stub(hidden, far.did);
    expect(await told(hidden)).toBe(0);
    expect(far.asked.length).toBeGreaterThan(0);
  });

  test('that is not what its stub names', async () => {
    const [hidden, other] = [await post(), await post()];
    expect(await told(hidden)).toBe(ALWAYS);
    await stored.world.stub({ ...hidden, cid: other.cid }, far.did);
    expect(await told(hidden)).toBe(0);
  });
});

test.each(['lies', 'forgets'] as const)(
  'of a post nobody is told when its node answers, and %s',
  async (behaves) => {
    const [hidden, there] = [await post(), await postNear()];
    far.behaves = behaves;
    const [page] = await walk(surface, { operation: 'timeline' });
    expect(page).toEqual({ posts: [there.uri], unavailable: [] });
    for (const said of await unavailableAt([hidden.uri])) expect(said).toEqual([]);
  },
);

describe('while a node is asked in vain, a post is forgotten', () => {
  const changes: [string, (hidden: WrittenPost) => Promise<unknown>][] = [
    [
      'of which the viewer is no member any more',
      () => stored.world.member(viewer.did, far.did, [second]),
    ],
    [
      'whose node is no longer heard',
      () => stored.world.node(far.did, { leaseUntil: new Date(0) }),
    ],
    ['whose author has gone', () => stored.world.actor(author.did, { active: false })],
    [
      'that is deleted',
      ({ uri }) => stored.world.prisma.post.deleteMany({ where: { uri, nodeDid: far.did } }),
    ],
    [
      'that is another now',
      ({ uri }) =>
        stored.world.prisma.post.updateMany({ where: { uri }, data: { cid: 'another' } }),
    ],
  ];
  test.each(changes)('%s', async (_, change) => {
    const hidden = await post({ boundaries: [open.far] });
    far.behaves = 'stalls';
    const lacked = lacking();
    await vi.waitFor(() => expect(far.asked.length).toBeGreaterThan(0), 5_000);
    await change(hidden);
    expect(await lacked).toEqual([]);
  });

  test('from the feed of a boundary that the viewer has lost, though they share another', async () => {
    const hidden = await post({ boundaries: [open.far, second] });
    far.behaves = 'stalls';
    const lacked = lacking({ boundary: open.far });
    await vi.waitFor(() => expect(far.asked.length).toBeGreaterThan(0), 5_000);
    await stored.world.member(viewer.did, far.did, [second]);
    expect(await lacked).toEqual([]);
    expect(await lacking()).toEqual([named(hidden)]);
  });
});
