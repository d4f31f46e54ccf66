import { fileURLToPath } from 'node:url';
import { type ConnectionOptions, connect, type GraphqlResult } from '@stratos/client-graphql';
import manifest from '@stratos/client-graphql/trusted-documents.json' with { type: 'json' };
import {
  briefSession,
  LiveStage,
  startTestGateway,
  type TestGateway,
} from '@stratos/gateway/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { CuttableRelay } from '../oracle/cuttable-relay.ts';
import { APPS, type App } from './graphql-app.ts';

const MANIFEST = import.meta.resolve('@stratos/client-graphql/trusted-documents.json');

let gateway: TestGateway;
let relay: CuttableRelay;
let stage: LiveStage;
let reader: Awaited<ReturnType<LiveStage['reader']>>;
beforeAll(async () => {
  // It runs nothing but the documents of the package.
  gateway = await startTestGateway({ GATEWAY_TRUSTED_DOCUMENTS: fileURLToPath(MANIFEST) });
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

const send = (token: string, input: string | URL, init?: RequestInit) => {
  const headers = new Headers(init?.headers);
  headers.set('authorization', `Bearer ${token}`);
  return fetch(input, { ...init, headers });
};

/** Sends with one token after the other, and with the last of them from then on. */
function renewing(...tokens: string[]) {
  const used: string[] = [];
  return {
    used,
    fetch: (input: string | URL, init?: RequestInit) => {
      const token = tokens[Math.min(used.length, tokens.length - 1)] ?? '';
      used.push(token);
      return send(token, input, init);
    },
  };
}

function follow(app: App) {
  const seen = { types: [] as string[], texts: [] as string[], ends: [] as unknown[] };
  const stop = app.live({
    next: ({ posts }) => {
      seen.types.push(posts.__typename);
      if (posts.__typename === 'PostShown') seen.texts.push(posts.post.text);
    },
    end: (error) => seen.ends.push(error ?? 'complete'),
  });
  return { seen, [Symbol.dispose]: stop };
}

test.each(
  Object.entries(manifest).map(([hash, text]) => [/\w+ \w+/.exec(text)?.[0], hash] as const),
)('the gateway runs %s by its hash', async (_, sha256Hash) => {
  const { uri } = await stage.post('one', ['art']);
  const { subscribe } = connect({ gateway: gateway.url, session: reader.token });
  const { promise, resolve, reject } = Promise.withResolvers<GraphqlResult>();
  // Queries are answered as subscriptions of one event.
  const stop = subscribe(
    {
      variables: { uri, boundary: stage.boundary('art'), actor: stage.author.did, text: 'one' },
      extensions: { persistedQuery: { version: 1, sha256Hash } },
    },
    { next: resolve, error: reject, complete: () => {} },
  );
  const { data, errors } = await promise;
  stop();
  expect(errors).toBeUndefined();
  expect(Object.values(data ?? { nothing: null })).not.toContain(null);
});

describe.each(Object.entries(APPS))('with %s', (_, open) => {
  const opened = (more: Partial<ConnectionOptions> = {}) =>
    open({ gateway: relay.url, session: reader.token, isTrusted: true, ...more });

  test('a feed is read page by page, by the hash of the document', async () => {
    for (const rkey of ['one', 'two', 'three']) await stage.post(rkey, ['art']);
    const bodies: string[] = [];
    const fetch = (input: string | URL, init?: RequestInit) => {
      bodies.push(String(init?.body));
      return send(reader.token, input, init);
    };
    const app = opened({ session: { fetch } });
    const texts: string[] = [];
    for (let after: string | undefined, isMore = true; isMore; ) {
      const { timeline } = await app.homeFeed({ first: 2, ...(after && { after }) });
      texts.push(...timeline.edges.map(({ node }) => node.text));
      after = timeline.pageInfo.endCursor ?? undefined;
      isMore = timeline.pageInfo.hasNextPage;
    }
    expect(texts).toEqual(['three', 'two', 'one']);
    for (const body of bodies) {
      expect(body).not.toContain('fragment');
      expect(Object.keys(manifest)).toContain(
        JSON.parse(body).extensions.persistedQuery.sha256Hash,
      );
    }
  });

  test('what could not be answered just now is asked again', async () => {
    const answers = [
      () => Promise.reject(new TypeError('fetch failed')),
      () => Promise.resolve(new Response('<h1>Bad gateway</h1>', { status: 502 })),
    ];
    const fetch = vi.fn((input: string | URL, init?: RequestInit) => {
      return answers.shift()?.() ?? send(reader.token, input, init);
    });
    expect(await opened({ session: { fetch } }).homeFeed({ first: 1 })).toBeDefined();
    expect(fetch).toHaveBeenCalledTimes(3);
    const away = vi.fn(() => Promise.reject(new TypeError('fetch failed')));
    const given = opened({ session: { fetch: away }, retries: 1 });
    await expect(given.homeFeed({})).rejects.toThrow();
    expect(away).toHaveBeenCalledTimes(2);
  });

  test('a subscription goes on after a cut with the token of that moment, with no gap and nothing twice', async () => {
    const other = await gateway.session(stage.person('alice'));
    const session = renewing(reader.token, other);
    using following = follow(opened({ session }));
    const { seen } = following;
    await vi.waitFor(() => expect(seen.types).toEqual(['StreamOpened']), 5_000);
    await stage.post('shown', ['art']);
    await vi.waitFor(() => expect(seen.texts).toEqual(['shown']), 5_000);
    relay.cut();
    await stage.post('missed', ['art']);
    await vi.waitFor(() => expect(seen.texts).toEqual(['shown', 'missed']), 8_000);
    await stage.post('again', ['art']);
    await vi.waitFor(() => expect(seen.texts).toEqual(['shown', 'missed', 'again']), 5_000);
    expect(session.used.slice(0, 2)).toEqual([reader.token, other]);
    expect(seen.ends).toEqual([]);
  });

  test('a subscription goes on with a new session when the one that opened it is over', async () => {
    const session = renewing(await briefSession(gateway, reader.did, 3), reader.token);
    using following = follow(opened({ session }));
    const { seen } = following;
    await vi.waitFor(() => expect(seen.types).toEqual(['StreamOpened']), 5_000);
    await stage.post('before', ['art']);
    await vi.waitFor(() => expect(session.used).toHaveLength(2), 8_000);
    await stage.post('after', ['art']);
    await vi.waitFor(() => expect(seen.texts).toEqual(['before', 'after']), 5_000);
    expect(seen.types).not.toContain('StreamClosed');
    expect(seen.ends).toEqual([]);
  });

  test('a subscription ends with what nothing can be done about', async () => {
    const session = renewing('garbage');
    using following = follow(opened({ session }));
    const { seen } = following;
    await vi.waitFor(() => expect(seen.ends[0]).toBeInstanceOf(Object), 5_000);
    expect(session.used).toHaveLength(1);
    expect(seen.types).toEqual([]);
  });
});
