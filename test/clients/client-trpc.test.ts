import { createStratosClient, type StratosClient } from '@stratos/client-trpc';
import { startTestGateway, type TestGateway } from '@stratos/gateway/testing';
import { qualifyBoundary, toDid } from '@stratos/protocol';
import { afterAll, beforeAll, expect, expectTypeOf, test } from 'vitest';

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

test('asks for the authorization of each request', async () => {
  let asked = 0;
  const session = async () => {
    asked += 1;
    return `Bearer ${token}`;
  };
  const client = createStratosClient({ gateway: gateway.url, session });
  await client.viewer.query();
  await client.viewer.query();
  expect(asked).toBe(2);
});

test('tells failures by a stable reason', async () => {
  const client = createStratosClient({ gateway: gateway.url, session: 'nonsense' });
  await expect(client.viewer.query()).rejects.toMatchObject({
    data: { reason: 'UNAUTHENTICATED' },
  });
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
