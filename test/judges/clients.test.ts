import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApolloClient, gql as apolloGql, HttpLink, InMemoryCache } from '@apollo/client/core';
import { AtpAgent } from '@atproto/api';
import { Client as LexClient } from '@atproto/lex';
import { zone } from '@stratos/protocol/lexicons';
import type { StratosRouter } from '@stratos/schema';
import { createTRPCClient, httpBatchStreamLink } from '@trpc/client';
import { cacheExchange, fetchExchange, Client as UrqlClient, gql as urqlGql } from '@urql/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type JudgedGateway, startJudgedGateway, TEXTS } from './judged-gateway.ts';

const TIMELINE = `query Timeline($first: Int, $after: String) {
  timeline(first: $first, after: $after) {
    edges { node { __typename id text author { handle } boundaries { name } } }
    pageInfo { hasNextPage endCursor }
  }
}`;
const LEXICONS = join(import.meta.dirname, '../../lexicons/zone/stratos');

let gateway: JudgedGateway;
beforeAll(async () => {
  gateway = await startJudgedGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

interface Data {
  timeline: {
    edges: { node: { text: string; author: { handle: string } } }[];
    pageInfo: { hasNextPage: boolean; endCursor: string };
  };
}

function textsOf(data: Data | undefined): string[] | undefined {
  return data?.timeline.edges.map(({ node }) => node.text);
}

test('Apollo Client pages through a connection, and keeps posts by their global ids', async () => {
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: new HttpLink({ uri: `${gateway.url}/graphql`, headers: gateway.authorization }),
  });
  const query = apolloGql(TIMELINE);
  const first = await client.query<Data>({ query, variables: { first: 5 } });
  expect(textsOf(first.data)).toEqual(TEXTS.slice(0, 5));
  const after = first.data?.timeline.pageInfo.endCursor;
  const next = await client.query<Data>({ query, variables: { first: 10, after } });
  expect(textsOf(next.data)).toEqual(TEXTS.slice(5));
  const kept = Object.keys(client.cache.extract() as object);
  expect(kept.filter((key) => key.startsWith('Post:'))).toHaveLength(TEXTS.length);
  client.stop();
});

test('Apollo Client is told failures by their codes', async () => {
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: new HttpLink({ uri: `${gateway.url}/graphql`, headers: gateway.authorization }),
  });
  const variables = { after: 'garbage' };
  await expect(client.query({ query: apolloGql(TIMELINE), variables })).rejects.toMatchObject({
    errors: [{ extensions: { code: 'INVALID_CURSOR' } }],
  });
  client.stop();
});

test('urql pages through a connection', async () => {
  const client = new UrqlClient({
    url: `${gateway.url}/graphql`,
    preferGetMethod: false,
    exchanges: [cacheExchange, fetchExchange],
    fetchOptions: { headers: gateway.authorization },
  });
  const query = urqlGql(TIMELINE);
  const first = await client.query<Data>(query, { first: 5 });
  expect(first.error).toBeUndefined();
  expect(textsOf(first.data)).toEqual(TEXTS.slice(0, 5));
  const after = first.data?.timeline.pageInfo.endCursor;
  const next = await client.query<Data>(query, { first: 10, after });
  expect(textsOf(next.data)).toEqual(TEXTS.slice(5));
});

test('tRPC streams the answers of a batch', async () => {
  let requests = 0;
  const client = createTRPCClient<StratosRouter>({
    links: [
      httpBatchStreamLink({
        url: `${gateway.url}/trpc`,
        headers: gateway.authorization,
        fetch: (url, init) => {
          requests += 1;
          return fetch(url, init as RequestInit);
        },
      }),
    ],
  });
  const [viewer, page, boundaries] = await Promise.all([
    client.viewer.query(),
    client.timeline.query({ limit: 5 }),
    client.boundaries.query(),
  ]);
  expect(requests).toBe(1);
  expect(page.posts.map(({ text }) => text)).toEqual(TEXTS.slice(0, 5));
  expect(boundaries.map(({ uri }) => uri)).toEqual(viewer.boundaries);
});

test('@atproto/lex checks the answers by the lexicons', async () => {
  const client = new LexClient({ service: gateway.url, headers: gateway.authorization });
  const first = await client.call(zone.stratos.feed.getTimeline, { limit: 5 });
  expect(first.feed.map(({ post }) => Object(post.record).text)).toEqual(TEXTS.slice(0, 5));
  const next = await client.call(zone.stratos.feed.getTimeline, {
    limit: 10,
    cursor: first.cursor,
  });
  expect(next.feed.map(({ post }) => Object(post.record).text)).toEqual(TEXTS.slice(5));
  expect(next.cursor).toBeUndefined();
});

test('@atproto/api calls the methods by their lexicons', async () => {
  const agent = new AtpAgent({ service: gateway.url });
  for (const file of await readdir(LEXICONS, { recursive: true })) {
    if (file.endsWith('.json'))
      agent.lex.add(JSON.parse(await readFile(join(LEXICONS, file), 'utf8')));
  }
  const headers = gateway.authorization;
  const { $nsid } = zone.stratos.feed.getTimeline;
  const { data } = await agent.call($nsid, { limit: 5 }, undefined, { headers });
  const texts = data.feed.map(
    ({ post }: { post: { record: { text: string } } }) => post.record.text,
  );
  expect(texts).toEqual(TEXTS.slice(0, 5));
  const missing = agent.call(
    zone.stratos.feed.getPost.$nsid,
    { uri: 'at://did:plc:nobody/zone.stratos.feed.post/none' },
    undefined,
    { headers },
  );
  await expect(missing).rejects.toMatchObject({ status: 404, error: 'RecordNotFound' });
});
