import { qualifyBoundary } from '@stratos/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startGateway } from '../service.ts';
import { AnsweringNode } from '../testing/answering-node.ts';
import type { Question } from '../testing/questions.ts';
import { SURFACES } from '../testing/surfaces.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';
import type { WrittenPost } from '../testing/world.ts';

const POSTS = 130;

let stack: AsyncDisposableStack;
let stored: TestGateway;
let near: AnsweringNode;
let far: AnsweringNode;
let token: string;
let reply: WrittenPost;
let uris: string[];
let actor: string;

/** A gateway on the same database that has nothing in memory. */
async function hydrating() {
  const gateway = await startGateway({ ...stored.config, content: 'hydrate', port: 0 });
  return { url: `http://localhost:${gateway.port}`, gateway };
}

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  near = stack.use(await AnsweringNode.start());
  far = stack.use(await AnsweringNode.start());
  stored = stack.use(await startTestGateway());
  const { world, people } = stored;
  const [author, reader] = [people.add('author'), people.add('reader')];
  const posts: WrittenPost[] = [];
  for (const [n, node] of [near, far].entries()) {
    node.world = world;
    await world.node(node.did);
    const boundary = qualifyBoundary(node.did, 'open');
    await world.member(reader.did, node.did, [boundary]);
    for (let i = 0; i < POSTS; i++) {
      posts.push(
        await world.post({
          ...{ author: author.did, node: node.did, boundaries: [boundary], rkey: `r${n}x${i}` },
          text: `fox ${i}`,
          at: new Date(Date.UTC(2026, 0, 1, 0, i, n)),
        }),
      );
    }
  }
  const [parent] = posts;
  if (!parent) throw new Error('posts were written');
  const { node, boundaries } = parent;
  // What it quotes is known by its record alone, and asked for after it: it is on no page of the tests.
  const at = new Date(Date.UTC(2025, 0, 1));
  const facts = { author: author.did, node, boundaries, rkey: 'reply', at };
  reply = await world.post({ ...facts, parent, quote: parent });
  uris = posts.slice(0, 20).map(({ uri }) => uri);
  actor = author.did;
  token = await stored.session(reader);
});
afterAll(() => stack.disposeAsync());
beforeEach(() => {
  for (const { asked } of [near, far]) asked.length = 0;
});

describe.each(SURFACES)('over $name', (surface) => {
  test('contents from the nodes make the same answers as contents from the database', async () => {
    const { url, gateway } = await hydrating();
    await using _ = gateway;
    const questions: Question[] = [
      { operation: 'timeline', limit: 100 },
      { operation: 'authorFeed', actor, limit: 7 },
      { operation: 'search', text: 'fox', limit: 10 },
      { operation: 'posts', uris },
      { operation: 'post', uri: reply.uri },
      { operation: 'thread', uri: reply.uri },
    ];
    for (const question of questions) {
      const expected = await surface.see(stored.url, token, question);
      expect(withoutCursor(await surface.see(url, token, question))).toEqual(
        withoutCursor(expected),
      );
    }
  });
});

test('a page asks each node once for a hundred posts of its own', async () => {
  const { url, gateway } = await hydrating();
  await using _ = gateway;
  const [surface] = SURFACES;
  await surface?.feed(url, token, { limit: 100 });
  const calls = [near, far].map(({ asked }) => asked.map(({ uris }) => uris));
  expect(calls.map(({ length }) => length)).toEqual([1, 1]);
  expect(calls.flat().reduce((sum, count) => sum + count)).toBe(101);
  await surface?.feed(url, token, { limit: 100 });
  expect([near, far].map(({ asked }) => asked.length)).toEqual([1, 1]);
});

/** Cursors are sealed anew each time. */
function withoutCursor(seen: unknown): unknown {
  return typeof seen === 'object' && seen !== null && 'cursor' in seen
    ? { ...seen, cursor: typeof seen.cursor }
    : seen;
}
