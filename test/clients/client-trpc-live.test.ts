import { createStratosClient, isStratosError, type Session } from '@stratos/client-trpc';
import { startGateway } from '@stratos/gateway';
import {
  briefSession,
  LiveStage,
  startTestGateway,
  type TestGateway,
} from '@stratos/gateway/testing';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { CuttableRelay } from '../oracle/cuttable-relay.ts';

let gateway: TestGateway;
let relay: CuttableRelay;
let stage: LiveStage;
let reader: Awaited<ReturnType<LiveStage['reader']>>;
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
  reader = await stage.reader('alice', 'art');
});

/** Sends with one token after the other, and with the last of them from then on. */
function renewing(...tokens: string[]): Session & { used: string[] } {
  const used: string[] = [];
  return {
    used,
    fetch: (input, init) => {
      const token = tokens[Math.min(used.length, tokens.length - 1)] ?? '';
      used.push(token);
      const headers = new Headers(init?.headers);
      headers.set('authorization', `Bearer ${token}`);
      return fetch(input, { ...init, headers });
    },
  };
}

/** What a subscription has been told. */
function follow(session: Session, { url }: { url: string } = relay) {
  const seen = { types: [] as string[], texts: [] as string[], ends: [] as unknown[] };
  const { unsubscribe } = createStratosClient({
    gateway: url,
    session,
  }).livePosts.subscribe(undefined, {
    onData: ({ data }) => {
      seen.types.push(data.type);
      if (data.type === 'post') seen.texts.push(data.post.text);
    },
    onError: (error) => seen.ends.push(error),
    onComplete: () => seen.ends.push('complete'),
  });
  return { seen, [Symbol.dispose]: unsubscribe };
}

test('goes on after a cut with the token of that moment, with no gap and nothing twice', async () => {
  const other = await gateway.session(stage.person('alice'));
  const session = renewing(reader.token, other);
  using following = follow(session);
  const { seen } = following;
  await vi.waitFor(() => expect(seen.types).toEqual(['opened']), 5_000);
  await stage.post('shown', ['art']);
  await vi.waitFor(() => expect(seen.texts).toEqual(['shown']), 5_000);
  relay.cut();
  await stage.post('missed', ['art']);
  await vi.waitFor(() => expect(seen.texts).toEqual(['shown', 'missed']), 15_000);
  await stage.post('again', ['art']);
  await vi.waitFor(() => expect(seen.texts).toEqual(['shown', 'missed', 'again']), 5_000);
  expect(session.used).toEqual([reader.token, other]);
  expect(seen.ends).toEqual([]);
});

test('notices that a connection is silent, and goes on with another, with no gap and nothing twice', async () => {
  const live = { heartbeatMs: 200, silenceMs: 1_000 };
  await using hasty = await startGateway({ ...gateway.config, port: 0, live });
  await using between = await CuttableRelay.open(`http://localhost:${hasty.port}`);
  const session = renewing(reader.token);
  using following = follow(session, between);
  const { seen } = following;
  await vi.waitFor(() => expect(seen.types).toEqual(['opened']), 5_000);
  await stage.post('shown', ['art']);
  await vi.waitFor(() => expect(seen.texts).toEqual(['shown']), 5_000);
  // Signs of life keep a connection on which nothing happens.
  await new Promise((resolve) => setTimeout(resolve, 2 * live.silenceMs));
  expect(session.used).toHaveLength(1);
  between.silence();
  await stage.post('missed', ['art']);
  await vi.waitFor(() => expect(seen.texts).toEqual(['shown', 'missed']), 10_000);
  await stage.post('again', ['art']);
  await vi.waitFor(() => expect(seen.texts).toEqual(['shown', 'missed', 'again']), 5_000);
  expect(session.used).toHaveLength(2);
  expect(seen.ends).toEqual([]);
});

test('goes on with a new session when the one that opened it is over', async () => {
  const session = renewing(await briefSession(gateway, reader.did, 2), reader.token);
  using following = follow(session);
  const { seen } = following;
  await vi.waitFor(() => expect(seen.types).toEqual(['opened']), 5_000);
  await stage.post('before', ['art']);
  await vi.waitFor(() => expect(session.used).toHaveLength(2), 8_000);
  await stage.post('after', ['art']);
  await vi.waitFor(() => expect(seen.texts).toEqual(['before', 'after']), 5_000);
  expect(seen.types).not.toContain('closed');
  expect(seen.ends).toEqual([]);
});

test('goes on when the gateway was not there for a while', async () => {
  const session = renewing(reader.token);
  const answers = [new Response('<h1>Bad gateway</h1>', { status: 502 })];
  using following = follow({
    fetch: async (input, init) => answers.pop() ?? session.fetch(input, init),
  });
  const { seen } = following;
  await vi.waitFor(() => expect(seen.types).toEqual(['opened']), 5_000);
  expect(seen.ends).toEqual([]);
});

test('ends with what nothing can be done about', async () => {
  using following = follow(renewing('garbage'));
  const { seen } = following;
  await vi.waitFor(() => expect(seen.ends).toHaveLength(1), 5_000);
  const [error] = seen.ends;
  expect(isStratosError(error) && error.data?.reason).toBe('UNAUTHENTICATED');
});

test('ends with the session that cannot be renewed', async () => {
  const send = vi.fn(() => Promise.reject(new Error('signed out')));
  using following = follow({ fetch: send });
  const { seen } = following;
  await vi.waitFor(() => expect(seen.ends).toHaveLength(1), 5_000);
  expect(isStratosError(seen.ends[0])).toBe(true);
  expect(send).toHaveBeenCalledTimes(1);
});

test('ends when nothing is left to be read', async () => {
  using following = follow(renewing(reader.token));
  const { seen } = following;
  await vi.waitFor(() => expect(seen.types).toEqual(['opened']), 5_000);
  await stage.member(reader.did);
  await vi.waitFor(() => expect(seen.ends).toEqual(['complete']), 5_000);
  expect(seen.types.at(-1)).toBe('closed');
});
