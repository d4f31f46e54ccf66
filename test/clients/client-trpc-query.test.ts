import { createStratosClient, type StratosClient } from '@stratos/client-trpc';
import { LiveStage, startTestGateway, type TestGateway } from '@stratos/gateway/testing';
import type { StratosRouter } from '@stratos/schema/trpc';
import { InfiniteQueryObserver, QueryClient, QueryObserver } from '@tanstack/react-query';
import { createTRPCOptionsProxy, type TRPCOptionsProxy } from '@trpc/tanstack-react-query';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';

let gateway: TestGateway;
let stage: LiveStage;
let client: StratosClient;
let queryClient: QueryClient;
let trpc: TRPCOptionsProxy<StratosRouter>;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(async () => {
  stage = await LiveStage.on(gateway);
  const { token } = await stage.reader('alice', 'art');
  client = createStratosClient({ gateway: gateway.url, session: token });
  // The client has asked again already.
  queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  trpc = createTRPCOptionsProxy<StratosRouter>({ client, queryClient });
});
afterEach(() => queryClient.clear());

test('a query is asked once for all who show it', async () => {
  const options = trpc.viewer.queryOptions();
  const [one, other] = await Promise.all([
    queryClient.fetchQuery(options),
    queryClient.fetchQuery(options),
  ]);
  expect(one.boundaries).toEqual(stage.boundaries('art'));
  expect(other).toBe(one);
});

test('an infinite query goes from cursor to cursor, to the end and back', async () => {
  for (const rkey of ['one', 'two', 'three']) await stage.post(rkey, ['art']);
  const observer = new InfiniteQueryObserver(
    queryClient,
    trpc.timeline.infiniteQueryOptions(
      { limit: 2 },
      {
        getNextPageParam: ({ cursor }) => cursor,
        getPreviousPageParam: ({ previousCursor }) => previousCursor,
      },
    ),
  );
  const stop = observer.subscribe(() => {});
  const texts = () =>
    observer.getCurrentResult().data?.pages.map(({ posts }) => posts.map(({ text }) => text));
  await vi.waitFor(() => expect(texts()).toEqual([['three', 'two']]), 5_000);
  await observer.fetchNextPage();
  expect(texts()).toEqual([['three', 'two'], ['one']]);
  expect(observer.getCurrentResult().hasNextPage).toBe(false);
  await stage.post('four', ['art']);
  await observer.fetchPreviousPage();
  expect(texts()).toEqual([['four'], ['three', 'two'], ['one']]);
  stop();
});

test('what is shown is read anew when something happens', async () => {
  const observer = new QueryObserver(queryClient, trpc.timeline.queryOptions({ limit: 5 }));
  const stop = observer.subscribe(() => {});
  const texts = () => observer.getCurrentResult().data?.posts.map(({ text }) => text);
  const following = client.livePosts.subscribe(undefined, {
    onData: () => queryClient.invalidateQueries(trpc.timeline.queryFilter()),
  });
  await vi.waitFor(() => expect(texts()).toEqual([]), 5_000);
  const post = await stage.post('one', ['art']);
  await vi.waitFor(() => expect(texts()).toEqual(['one']), 5_000);
  await stage.happenings.remove(post);
  await vi.waitFor(() => expect(texts()).toEqual([]), 5_000);
  following.unsubscribe();
  stop();
});

test('a failure says why', async () => {
  const asked = queryClient.fetchQuery(trpc.timeline.queryOptions({ cursor: 'garbage' }));
  await expect(asked).rejects.toMatchObject({ data: { reason: 'INVALID_CURSOR' } });
});
