import { openGatewaySession } from '@stratos/client';
import { createStratosClient } from '@stratos/client-trpc';
import {
  LiveStage,
  serviceAuth,
  startTestGateway,
  type TestGateway,
} from '@stratos/gateway/testing';
import { toDid } from '@stratos/protocol';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { APPS } from './graphql-app.ts';

let gateway: TestGateway;
let stage: LiveStage;
beforeAll(async () => {
  gateway = await startTestGateway();
  stage = await LiveStage.on(gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** A session that is bound to a key, and what it sent in each request. */
async function openSession() {
  const person = stage.person('alice');
  await gateway.world.member(person.did, stage.node, stage.boundaries('art'));
  const fetchHandler = async (path: string) => {
    const query = new URL(path, 'http://pds.test').searchParams;
    const audience = toDid(query.get('aud') ?? '');
    return Response.json({
      token: await serviceAuth(person, audience, query.get('lxm') ?? ''),
    });
  };
  const sent: string[] = [];
  const session = await openGatewaySession({
    pds: { fetchHandler },
    gateway: { did: gateway.did, url: gateway.url },
    fetch: (url, init) => {
      const headers = new Headers(init?.headers);
      const scheme = headers.get('authorization')?.split(' ')[0];
      sent.push(`${scheme} ${headers.has('dpop') ? 'with' : 'without'} a proof`);
      return fetch(url, init);
    },
  });
  sent.length = 0;
  return { session, sent };
}

test('tRPC reads and follows with a session that is bound to a key', async () => {
  const { session, sent } = await openSession();
  const client = createStratosClient({ gateway: gateway.url, session });
  await stage.post('before', ['art']);
  const { posts } = await client.timeline.query({ limit: 1 });
  expect(posts.map(({ text }) => text)).toEqual(['before']);
  const texts: string[] = [];
  const types: string[] = [];
  const following = client.livePosts.subscribe(undefined, {
    onData: ({ data }) => {
      types.push(data.type);
      if (data.type === 'post') texts.push(data.post.text);
    },
  });
  await vi.waitFor(() => expect(types).toEqual(['opened']), 5_000);
  await stage.post('after', ['art']);
  await vi.waitFor(() => expect(texts).toEqual(['after']), 5_000);
  following.unsubscribe();
  expect(new Set(sent)).toEqual(new Set(['DPoP with a proof']));
});

test.each(Object.entries(APPS))(
  'GraphQL with %s reads and follows with a session that is bound to a key',
  async (name, open) => {
    const { session, sent } = await openSession();
    const app = open({ gateway: gateway.url, session });
    const { timeline } = await app.homeFeed({ first: 50 });
    expect(timeline.pageInfo.hasNextPage).toBe(false);
    const types: string[] = [];
    const stop = app.live({ next: ({ posts }) => types.push(posts.__typename), end: () => {} });
    await vi.waitFor(() => expect(types).toEqual(['StreamOpened']), 5_000);
    await stage.post(name.replace(' ', '-'), ['art']);
    await vi.waitFor(() => expect(types).toEqual(['StreamOpened', 'PostShown']), 5_000);
    stop();
    expect(new Set(sent)).toEqual(new Set(['DPoP with a proof']));
  },
);
