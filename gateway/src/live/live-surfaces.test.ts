import { setTimeout as sleep } from 'node:timers/promises';
import { Frame } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import type { StratosRouter } from '@stratos/schema/trpc';
import { createTRPCClient, httpSubscriptionLink } from '@trpc/client';
import { EventSource } from 'eventsource';
import { createClient } from 'graphql-sse';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { LIVE_QUERY, type SeenEvent } from '../testing/live-client.ts';
import { LiveStage } from '../testing/live-stage.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

let gateway: TestGateway;
let stage: LiveStage;
let alice: { did: string; token: string };

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(async () => {
  stage = await LiveStage.on(gateway);
  alice = await stage.reader('alice', 'art', 'writers');
});

describe.each([{ singleConnection: false }, { singleConnection: true }])(
  'the client of graphql-sse ($singleConnection)',
  ({ singleConnection }) => {
    test('follows, several times, and stops', async () => {
      const client = createClient({
        url: `${gateway.url}/graphql${singleConnection ? '/stream' : ''}`,
        singleConnection,
        headers: { authorization: `Bearer ${alice.token}` },
        retryAttempts: 0,
      } as Parameters<typeof createClient>[0]);
      const seen: SeenEvent[][] = [[], []];
      const variables = [{}, { boundary: stage.boundary('writers') }];
      const stops = variables.map((own, index) =>
        client.subscribe<{ posts: SeenEvent }>(
          { query: LIVE_QUERY, variables: own },
          {
            next: ({ data }) => data && seen[index]?.push(data.posts),
            error: (error) => {
              throw error;
            },
            complete: () => {},
          },
        ),
      );
      await vi.waitFor(() => expect(seen.map(({ length }) => length)).toEqual([1, 1]), 5_000);
      await stage.post('one', ['art']);
      await stage.post('two', ['writers']);
      await vi.waitFor(() => expect(seen.map(({ length }) => length)).toEqual([3, 2]), 5_000);
      stops[1]?.();
      await stage.post('three', ['writers']);
      await vi.waitFor(() => expect(seen[0]).toHaveLength(4), 5_000);
      expect(seen[1]).toHaveLength(2);
      const query = '{ viewer { did } }';
      const answers: unknown[] = [];
      for await (const answer of client.iterate({ query })) answers.push(answer);
      expect(answers).toEqual([{ data: { viewer: { did: alice.did } } }]);
      stops[0]?.();
      // What it sends for that would be lost with the client.
      await sleep(50);
      client.dispose();
    });
  },
);

test('the client of tRPC follows, and goes on where it was', async () => {
  const seen: { id: string; type: string }[] = [];
  const client = createTRPCClient<StratosRouter>({
    links: [
      httpSubscriptionLink({
        url: `${gateway.url}/trpc`,
        EventSource: EventSource,
        eventSourceOptions: {
          fetch: (url: string | URL, init: RequestInit) => {
            const headers = { ...init.headers, authorization: `Bearer ${alice.token}` };
            return fetch(url, { ...init, headers });
          },
        },
      }),
    ],
  });
  const follow = (lastEventId?: string) =>
    client.livePosts.subscribe(
      { lastEventId },
      { onData: ({ id, data }) => seen.push({ id, type: data.type }) },
    );
  const first = follow();
  await vi.waitFor(() => expect(seen.map(({ type }) => type)).toEqual(['opened']), 5_000);
  await stage.post('one', ['art']);
  await vi.waitFor(() => expect(seen).toHaveLength(2), 5_000);
  first.unsubscribe();
  await stage.happenings.remove(await stage.post('two', ['art']));
  const second = follow(seen[1]?.id);
  await vi.waitFor(() => expect(seen.at(-1)?.type).toBe('removed'), 5_000);
  expect(seen.map(({ type }) => type)).toEqual(['opened', 'post', 'opened', 'removed']);
  second.unsubscribe();
});

test('tRPC refuses what does not hold with its codes', async () => {
  const ask = async (input: object, token = alice.token) => {
    const url = `${gateway.url}/trpc/livePosts?input=${encodeURIComponent(JSON.stringify(input))}`;
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` };
    return (await fetch(url, { headers })).text();
  };
  expect(await ask({ lastEventId: 'garbage' })).toContain('INVALID_CURSOR');
  expect(await ask({ boundary: 'garbage' })).toContain('BAD_USER_INPUT');
  expect(await ask({}, 'garbage')).toContain('UNAUTHENTICATED');
});

describe('XRPC', () => {
  const { subscribePosts } = zone.stratos.feed;

  /** Reads a stream until `count` frames have come, or it ends. */
  async function frames(params: Record<string, string>, count: number, token?: string) {
    const url = `${gateway.url.replace('http', 'ws')}/xrpc/${subscribePosts.$nsid}`;
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const socket = new WebSocket(`${url}?${new URLSearchParams(params)}`, { headers });
    const seen: Frame[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.on('message', (data: Buffer) => {
      seen.push(Frame.fromBytes(data));
      if (seen.length === count) resolve();
    });
    socket.on('close', () => resolve()).on('error', () => resolve());
    await promise;
    socket.terminate();
    return seen;
  }

  test('sends frames as its lexicon has them, and goes on from each', async () => {
    const reading = frames({}, 3, alice.token);
    await sleep(300);
    const post = await stage.post('one', ['art', 'closed']);
    await stage.happenings.remove(await stage.post('two', ['art']));
    const seen = await reading;
    const cursors: string[] = [];
    for (const frame of seen) {
      if (!frame.isMessage()) throw new Error('not a message');
      const message = { ...(frame.body as object), $type: `${subscribePosts.$nsid}${frame.type}` };
      const { cursor } = subscribePosts.$message.parse(message) as { cursor: string };
      cursors.push(cursor);
    }
    expect(seen[1]?.body).toMatchObject({
      post: { uri: post.uri, cid: post.cid, boundaries: stage.boundaries('art') },
    });
    const again = await frames({ cursor: cursors[0] ?? '' }, 2, alice.token);
    expect(again[1]?.body).toEqual(seen[1]?.body);
  });

  test.each([
    ['AuthRequired', {}, false],
    ['InvalidCursor', { cursor: 'garbage' }, true],
    ['InvalidRequest', { boundary: 'garbage' }, true],
  ] as const)('refuses with %s', async (error, params, isSignedIn) => {
    const [refusal] = await frames(params, 1, isSignedIn ? alice.token : undefined);
    expect(refusal).toMatchObject({ op: -1, body: { error } });
  });

  test('says why it ends', async () => {
    const bob = await stage.reader('bob', 'art');
    const reading = frames({}, 9, bob.token);
    await sleep(300);
    await stage.member(bob.did);
    const last = (await reading).at(-1);
    expect(last).toMatchObject({ op: -1, body: { error: 'AccessLost' } });
  });
});
