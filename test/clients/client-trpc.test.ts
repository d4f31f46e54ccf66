import { createStratosClient, isStratosError, type StratosClient } from '@stratos/client-trpc';
import { startTestGateway, type TestGateway } from '@stratos/gateway/testing';
import { qualifyBoundary, toDid } from '@stratos/protocol';
import { afterAll, beforeAll, expect, expectTypeOf, test, vi } from 'vitest';

const node = toDid('did:web:node.test');
const open = qualifyBoundary(node, 'open');

let gateway: TestGateway;
let token: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  const { world, people } = gateway;
  const [alice, bob] = [people.add('alice'), people.add('bob')];
  await world.node(node);
  await world.actor(alice.did, { handle: 'alice.test' });
  await world.member(alice.did, node, [open]);
  for (const rkey of ['first', 'second', 'third']) {
    await world.post({ author: bob.did, node, boundaries: [open], rkey });
  }
  token = await gateway.session(alice);
});
afterAll(() => gateway[Symbol.asyncDispose]());

function authorized(input: string | URL, init?: RequestInit): Promise<Response> {
  return fetch(input, { ...init, headers: { ...init?.headers, authorization: `Bearer ${token}` } });
}

/** An answer of the gateway to a batch, for one reason. */
function failing(reason: string, httpStatus: number): Response {
  const error = { message: reason, code: -32000, data: { reason, httpStatus } };
  return Response.json({ error }, { status: httpStatus });
}

test('reads with a token', async () => {
  const client = createStratosClient({ gateway: gateway.url, session: token });
  const [viewer, page] = await Promise.all([
    client.viewer.query(),
    client.timeline.query({ limit: 2 }),
  ]);
  expect(viewer).toMatchObject({ handle: 'alice.test', boundaries: [open] });
  expect(page.posts.map(({ text }) => text)).toEqual(['third', 'second']);
  const next = await client.timeline.query({ limit: 2, cursor: page.cursor });
  expect(next.posts.map(({ text }) => text)).toEqual(['first']);
  expect(next.cursor).toBeNull();
  const [post] = page.posts;
  expect(await client.post.query({ uri: post?.uri ?? '' })).toEqual(post);
});

test('sends every request by the session, and what is asked at once as one', async () => {
  const sent: string[] = [];
  const session = {
    fetch: (input: string | URL, init?: RequestInit) => {
      sent.push(new URL(input).pathname);
      return authorized(input, init);
    },
  };
  const client = createStratosClient({ gateway: gateway.url, session });
  await client.viewer.query();
  await Promise.all([client.viewer.query(), client.boundaries.query()]);
  expect(sent).toEqual(['/trpc/viewer', '/trpc/viewer,boundaries']);
});

test('asks again what could not be answered just now', async () => {
  const answers = [
    () => Promise.reject(new TypeError('fetch failed')),
    () => Promise.resolve(new Response('<h1>Bad gateway</h1>', { status: 502 })),
    () => Promise.resolve(failing('UNAVAILABLE', 503)),
  ];
  const fetch = vi.fn<typeof authorized>((...request) => {
    return answers.shift()?.() ?? authorized(...request);
  });
  const client = createStratosClient({ gateway: gateway.url, session: { fetch } });
  expect(await client.viewer.query()).toMatchObject({ handle: 'alice.test' });
  expect(fetch).toHaveBeenCalledTimes(4);
});

test.each([
  ['as often as it is told', () => failing('UNAVAILABLE', 503), 2],
  ['not what would fail again', () => failing('RATE_LIMITED', 429), 1],
])('asks again %s', async (_, answer, times) => {
  const fetch = vi.fn(async () => answer());
  const client = createStratosClient({ gateway: gateway.url, session: { fetch }, retries: 1 });
  const error = await client.viewer.query().catch((error: unknown) => error);
  expect(isStratosError(error)).toBe(true);
  expect(fetch).toHaveBeenCalledTimes(times);
});

test('does not ask again when nobody wants to know any more', async () => {
  const stop = new AbortController();
  const fetch = vi.fn(async () => {
    stop.abort();
    throw new TypeError('fetch failed');
  });
  const client = createStratosClient({ gateway: gateway.url, session: { fetch } });
  await expect(client.viewer.query(undefined, { signal: stop.signal })).rejects.toThrow();
  expect(fetch).toHaveBeenCalledTimes(1);
});

test('tells failures by a stable reason', async () => {
  const client = createStratosClient({ gateway: gateway.url, session: 'nonsense' });
  await expect(client.viewer.query()).rejects.toMatchObject({
    data: { reason: 'UNAUTHENTICATED' },
  });
  const unreached = createStratosClient({ gateway: 'http://localhost:1', retries: 0 });
  const error = await unreached.viewer.query().catch((error: unknown) => error);
  expect(isStratosError(error) && error.data).toBeUndefined();
  const good = createStratosClient({ gateway: gateway.url, session: token });
  await expect(good.timeline.query({ cursor: 'garbage' })).rejects.toMatchObject({
    data: { reason: 'INVALID_CURSOR' },
  });
});

test('is typed by the router', () => {
  type Page = Awaited<ReturnType<StratosClient['timeline']['query']>>;
  expectTypeOf<Page['posts'][number]['text']>().toEqualTypeOf<string>();
  expectTypeOf<Page['cursor']>().toEqualTypeOf<string | null>();
});
