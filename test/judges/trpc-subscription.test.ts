import { LiveStage, startTestGateway, type TestGateway } from '@stratos/gateway/testing';
import type { StratosRouter } from '@stratos/schema/trpc';
import { createTRPCClient, httpSubscriptionLink } from '@trpc/client';
import { EventSource } from 'eventsource';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { CuttableRelay } from '../oracle/cuttable-relay.ts';

let gateway: TestGateway;
let relay: CuttableRelay;
let stage: LiveStage;
let token: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  relay = await CuttableRelay.open(gateway.url);
});
afterAll(async () => {
  await relay[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});
beforeEach(async () => {
  stage = await LiveStage.on(gateway);
  ({ token } = await stage.reader('alice', 'art'));
});

function openClient(authorization = `Bearer ${token}`) {
  return createTRPCClient<StratosRouter>({
    links: [
      httpSubscriptionLink({
        url: `${relay.url}/trpc`,
        EventSource,
        eventSourceOptions: {
          fetch: (url: string | URL, init: RequestInit) =>
            fetch(url, { ...init, headers: { ...init.headers, authorization } }),
        },
      }),
    ],
  });
}

test('goes on by itself after each cut, with no gap and nothing twice', async () => {
  const texts: string[] = [];
  const states: string[] = [];
  const following = openClient().livePosts.subscribe(
    {},
    {
      onData: ({ data }) => data.type === 'post' && texts.push(data.post.text),
      onConnectionStateChange: ({ state }) => states.push(state),
    },
  );
  await vi.waitFor(() => expect(states.at(-1)).toBe('pending'), 5_000);
  const written: string[] = [];
  const write = async (text: string) => {
    written.push(text);
    await stage.post(text, ['art']);
  };
  for (const round of [1, 2]) {
    await write(`shown${round}`);
    await vi.waitFor(() => expect(texts).toEqual(written), 10_000);
    relay.cut();
    await write(`missed${round}`);
    await write(`again${round}`);
  }
  await vi.waitFor(() => expect(texts).toEqual(written), 10_000);
  expect(states.filter((state) => state === 'pending')).toHaveLength(3);
  following.unsubscribe();
});

test('is told what does not hold, typed, and does not try again', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  openClient().livePosts.subscribe({ lastEventId: 'garbage' }, { onError: resolve });
  expect(await promise).toMatchObject({ data: { reason: 'INVALID_CURSOR', code: 'BAD_REQUEST' } });
});

test('is told that nobody is signed in', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  openClient('Bearer garbage').livePosts.subscribe({}, { onError: resolve });
  expect(await promise).toMatchObject({ data: { reason: 'UNAUTHENTICATED' } });
});
