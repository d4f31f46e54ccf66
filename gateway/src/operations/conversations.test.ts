import { encodeRecord, toBoundary, toDid } from '@stratos/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Person } from '../testing/people.ts';
import type { Question, SeenPage, SeenPost, SeenReply, SeenThread } from '../testing/questions.ts';
import { SURFACES, type Surface } from '../testing/surfaces.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';
import type { PostFacts, WrittenPost } from '../testing/world.ts';

const node = toDid('did:web:node.test');
const open = toBoundary(`${node}/open`);
const closed = toBoundary(`${node}/closed`);

let gateway: TestGateway;
let viewer: Person;
let author: Person;
let token: string;
let second: number;

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
    'truncate stratos_node, stratos_actor, stratos_stub, stratos_membership, stratos_post cascade',
  );
  await world.node(node);
  await world.actor(author.did, { handle: 'author.test' });
  await world.member(viewer.did, node, [open]);
  second = 0;
});

function write(rkey: string, facts: Partial<PostFacts> = {}): Promise<WrittenPost> {
  const at = new Date(Date.UTC(2026, 0, 1, 0, 0, second++));
  return gateway.world.post({ author: author.did, node, boundaries: [open], rkey, at, ...facts });
}

const hide = { boundaries: [closed] };

function see<T>(surface: Surface, question: Question): Promise<T> {
  return surface.see(gateway.url, token, question) as Promise<T>;
}

const ask = (surface: Surface, question: Question) => surface.ask(gateway.url, token, question);

const nameOf = ({ uri }: { uri: string }) => uri.slice(uri.lastIndexOf('/') + 1);

/** A thread as the names of its posts. */
function outline({ post, replies }: SeenReply): unknown {
  return replies ? [nameOf(post), ...replies.posts.map(outline)] : nameOf(post);
}

async function spoil(post: WrittenPost): Promise<void> {
  const { bytes } = await encodeRecord({ text: 'not what was signed' });
  await gateway.world.prisma.post.update({
    where: { uri_nodeDid: { uri: post.uri, nodeDid: node } },
    data: { record: new Uint8Array(bytes) },
  });
}

describe.each(SURFACES)('$name', (surface) => {
  test('a thread has what a post answers and what answers it', async () => {
    const root = await write('root');
    const middle = await write('middle', { parent: root });
    const leaf = await write('leaf', { parent: middle });
    for (const rkey of ['a', 'b']) await write(rkey, { parent: leaf });
    const a = await write('c', { parent: leaf });
    await write('d', { parent: a });
    const thread = await see<SeenThread>(surface, { operation: 'thread', uri: leaf.uri });
    expect(thread.ancestors.map(nameOf)).toEqual(['root', 'middle']);
    expect(outline(thread)).toEqual(['leaf', ['a'], ['b'], ['c', 'd']]);
  });

  test('replies come in pages from both ends, and a thread says when there are more', async () => {
    const root = await write('root');
    for (const rkey of ['a', 'b', 'c']) await write(rkey, { parent: root });
    await write('hidden', { parent: root, ...hide });
    const { uri } = root;
    const thread = await see<SeenThread>(surface, { operation: 'thread', uri, limit: 2 });
    expect(outline(thread)).toEqual(['root', ['a'], ['b']]);
    expect(thread.replies?.hasMore).toBe(true);
    const replies = { operation: 'replies', uri, limit: 2 } as const;
    for (const [direction, pages] of [
      ['forward', [['a', 'b'], ['c']]],
      ['backward', [['b', 'c'], ['a']]],
    ] as const) {
      const first = await see<SeenPage>(surface, { ...replies, direction });
      const { cursor } = first;
      const next = await see<SeenPage>(surface, { ...replies, direction, cursor });
      expect([first, next].map(({ posts }) => posts.map(nameOf))).toEqual(pages);
      expect(next.cursor).toBeUndefined();
    }
  });

  test('a parent that is hidden is as one that does not exist', async () => {
    const hidden = await write('hidden', hide);
    const absent = { ...hidden, uri: `${hidden.uri.slice(0, -6)}absent` } as WrittenPost;
    const at = new Date();
    const facts = { text: 'an answer', at };
    const [one, other] = [
      await write('to-hidden', { ...facts, parent: hidden }),
      await write('to-absent', { ...facts, parent: absent }),
    ];
    const [ofHidden, ofAbsent] = await Promise.all(
      [one, other].map(({ uri }) => ask(surface, { operation: 'thread', uri })),
    );
    const alike = (body = '') => body.replaceAll('absent', 'hidden').replaceAll(other.cid, one.cid);
    expect(alike(ofHidden?.body)).toBe(alike(ofAbsent?.body));
    expect(ofHidden?.headers).toEqual(ofAbsent?.headers);
    expect(ofHidden?.body).not.toMatch(/blocked|notFound/i);
  });

  test('a parent or reply that was altered behind our back is not served', async () => {
    const root = await write('root');
    const middle = await write('middle', { parent: root });
    const leaf = await write('leaf', { parent: middle });
    const [a] = [await write('a', { parent: leaf }), await write('b', { parent: leaf })];
    await Promise.all([spoil(middle), spoil(a)]);
    const question = { operation: 'thread', uri: leaf.uri, limit: 1 } as const;
    const thread = await see<SeenThread>(surface, question);
    expect(thread.ancestors).toEqual([]);
    expect(outline(thread)).toEqual(['leaf', ['b']]);
  });

  test('a quoted post is one that may be seen, or nothing', async () => {
    const shown = await write('shown');
    const hidden = await write('hidden', hide);
    const spoiled = await write('spoiled');
    await spoil(spoiled);
    const quoteOf = async (quote: WrittenPost, rkey: string) => {
      const { uri } = await write(rkey, { quote });
      return (await see<SeenPost>(surface, { operation: 'post', uri })).quote;
    };
    expect(await quoteOf(shown, 'one')).toMatchObject({ uri: shown.uri, quote: null });
    expect(await quoteOf(hidden, 'two')).toBeNull();
    expect(await quoteOf(spoiled, 'three')).toBeNull();
    const own = await write('own', { author: viewer.did, ...hide });
    expect(await quoteOf(own, 'four')).toMatchObject({ uri: own.uri });
  });

  test('what may not be seen is not counted', async () => {
    const { uri, ...root } = await write('root');
    for (const boundaries of [[open], [closed], [open, closed]]) {
      const rkey = `r${boundaries.length}${boundaries[0] === open}`;
      await write(rkey, { boundaries, parent: { uri, ...root } });
      await write(`q${rkey}`, { boundaries, quote: { uri, ...root } });
    }
    const count = async () => {
      const { replyCount, quoteCount } = await see<SeenPost>(surface, { operation: 'post', uri });
      return [replyCount, quoteCount];
    };
    expect(await count()).toEqual([2, 2]);
    await gateway.world.member(viewer.did, node, [closed]);
    expect(await see(surface, { operation: 'post', uri })).toBeNull();
    await gateway.world.member(viewer.did, node, [open, closed]);
    expect(await count()).toEqual([3, 3]);
  });

  test('posts come in the order of their addresses, as far as they may be seen', async () => {
    const [a, b, hidden] = [await write('a'), await write('b'), await write('hidden', hide)];
    const own = await write('own', { author: viewer.did, ...hide });
    const uris = [b.uri, hidden.uri, own.uri, a.uri, `${a.uri}x`];
    const posts = await see<(SeenPost | null)[]>(surface, { operation: 'posts', uris });
    expect(posts.map((post) => post && nameOf(post))).toEqual(['b', null, 'own', 'a', null]);
  });

  test('a search finds what may be seen', async () => {
    await write('a', { text: 'red fox' });
    await write('hidden', { text: 'red fox', ...hide });
    await write('b', { text: 'a fox is red' });
    const question = { operation: 'search', text: 'fox Red', limit: 1 } as const;
    const first = await see<SeenPage>(surface, question);
    const next = await see<SeenPage>(surface, { ...question, cursor: first.cursor });
    expect([...first.posts, ...next.posts].map(nameOf)).toEqual(['b', 'a']);
    expect(next.cursor).toBeUndefined();
  });

  test('a cursor is good for its question and for no other', async () => {
    const [one, two] = [await write('one'), await write('two')];
    for (const rkey of ['a', 'b']) {
      for (const parent of [one, two]) {
        await write(`${parent.rkey}${rkey}`, { parent, text: 'red fox' });
      }
    }
    const pairs: [Question, Question][] = [
      [
        { operation: 'replies', uri: one.uri },
        { operation: 'replies', uri: two.uri },
      ],
      [
        { operation: 'search', text: 'red' },
        { operation: 'search', text: 'fox' },
      ],
      [
        { operation: 'search', text: 'red' },
        { operation: 'search', text: 'red', boundary: open },
      ],
      [
        { operation: 'authorFeed', actor: author.did },
        { operation: 'authorFeed', actor: viewer.did },
      ],
      [
        { operation: 'authorFeed', actor: author.did },
        { operation: 'authorFeed', actor: author.did, boundary: open },
      ],
      [{ operation: 'timeline' }, { operation: 'timeline', boundary: open }],
    ];
    for (const [question, other] of pairs) {
      const { cursor } = await see<SeenPage>(surface, { ...question, limit: 1 } as Question);
      expect(cursor).toBeDefined();
      const { body } = await ask(surface, { ...other, cursor } as Question);
      expect(body, JSON.stringify(other)).toMatch(/INVALID_CURSOR|InvalidCursor/);
    }
  });

  test('somebody of whom nothing may be seen is nobody', async () => {
    await write('hidden', hide);
    const actors = [
      author.did,
      'author.test',
      author.did.replace('author', 'nobody'),
      'nobody.test',
    ];
    const answers = await Promise.all(
      actors.map((actor) => ask(surface, { operation: 'actor', actor })),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    await write('shown', { boundaries: [open, closed] });
    expect(await see(surface, { operation: 'actor', actor: 'author.test' })).toEqual({
      did: author.did,
      handle: 'author.test',
      boundaries: [{ boundary: open, postCount: 1 }],
    });
    await gateway.world.actor(author.did, { handle: 'author.test', active: false });
    expect(await see(surface, { operation: 'actor', actor: author.did })).toBeNull();
  });

  test('the viewer knows their own boundaries and nodes, and of no others', async () => {
    const boundary = (uri: string) => see(surface, { operation: 'boundary', boundary: uri });
    const ofNode = (did: string) => see(surface, { operation: 'node', did });
    const mine = { uri: open, name: 'open', node, statedAt: expect.any(String) };
    expect(await see(surface, { operation: 'boundaries' })).toEqual([{ ...mine, isOpen: true }]);
    expect(await boundary(open)).toEqual({ ...mine, isOpen: true });
    expect(await boundary(closed)).toBeNull();
    expect(await ofNode(node)).toEqual({
      ...{ did: node, endpoint: 'http://node.test', isHeard: true, isEnrolled: true },
      ...{ statedAt: expect.any(String), boundaries: [open] },
    });
    const other = toDid('did:web:other.test');
    await gateway.world.node(other);
    expect(await ofNode(other)).toBeNull();
    await gateway.world.node(node, { leaseUntil: null });
    expect(await boundary(open)).toEqual({ ...mine, isOpen: false });
    expect(await ofNode(node)).toMatchObject({ isHeard: false });
    await gateway.world.member(viewer.did, node, [open], false);
    expect(await see(surface, { operation: 'boundaries' })).toEqual([]);
    expect(await ofNode(node)).toMatchObject({ isEnrolled: false, boundaries: [] });
  });
});

test('a thread goes no deeper than the budget of its request', async () => {
  const root = await write('root');
  const replies = await Promise.all(
    Array.from({ length: 8 }, (_, i) => write(`r${i}`, { parent: root })),
  );
  for (const parent of replies) await write(`${parent.rkey}x`, { parent });
  const [, trpc] = SURFACES;
  if (!trpc) throw new Error('no tRPC');
  const question = { operation: 'thread', uri: root.uri, limit: 100 } as const;
  const thread = await see<SeenThread>(trpc, question);
  const deeper = thread.replies?.posts.filter(({ replies: below }) => below !== null);
  expect(thread.replies?.posts).toHaveLength(8);
  expect(deeper).toHaveLength(3);
});
