import { ApolloClient, InMemoryCache } from '@apollo/client';
import {
  type ConnectionOptions,
  connect,
  type GraphqlResult,
  HomeFeedDocument,
  type HomeFeedQuery,
  LivePostsDocument,
  type LivePostsSubscription,
} from '@stratos/client-graphql';
import { CACHE_OPTIONS, createStratosLink } from '@stratos/client-graphql/apollo';
import { createStratosNetwork } from '@stratos/client-graphql/relay';
import { stratosOptions } from '@stratos/client-graphql/urql';
import { Client, cacheExchange } from '@urql/core';
import { print } from 'graphql';
import type { RequestParameters } from 'relay-runtime';

export interface LiveSink {
  next(data: LivePostsSubscription): void;
  end(error?: unknown): void;
}

/** What an app does with a client. */
export interface App {
  homeFeed(variables: { first?: number; after?: string }): Promise<HomeFeedQuery>;
  live(sink: LiveSink): () => void;
}

/** The same app, with each of the clients. */
export const APPS: Record<string, (options: ConnectionOptions) => App> = {
  Apollo: apolloApp,
  urql: urqlApp,
  Relay: relayApp,
  'no client': plainApp,
};

function apolloApp(options: ConnectionOptions): App {
  const client = new ApolloClient({
    cache: new InMemoryCache(CACHE_OPTIONS),
    link: createStratosLink(options),
  });
  return {
    homeFeed: async (variables) => {
      const { data } = await client.query({ query: HomeFeedDocument, variables });
      return required(data);
    },
    live: ({ next, end }) => {
      const subscription = client.subscribe({ query: LivePostsDocument }).subscribe({
        next: ({ data, error }) => (error ? end(error) : data && next(data)),
        error: end,
        complete: () => end(),
      });
      return () => subscription.unsubscribe();
    },
  };
}

function urqlApp(options: ConnectionOptions): App {
  const { exchanges, ...more } = stratosOptions(options);
  const client = new Client({ ...more, exchanges: [cacheExchange, ...exchanges] });
  return {
    homeFeed: async (variables) => {
      const { data, error } = await client.query(HomeFeedDocument, variables);
      if (error) throw error;
      return required(data);
    },
    live: ({ next, end }) =>
      client.subscription(LivePostsDocument, {}).subscribe(({ data, error }) => {
        if (error) end(error);
        else if (data) next(data);
      }).unsubscribe,
  };
}

function relayApp(options: ConnectionOptions): App {
  const network = createStratosNetwork(options);
  const parameters = (
    name: string,
    operationKind: RequestParameters['operationKind'],
    text: string,
  ) => ({ id: null, cacheID: name, name, operationKind, text, metadata: {} }) as const;
  return {
    homeFeed: async (variables) => {
      const text = print(HomeFeedDocument);
      const query = parameters('HomeFeed', 'query', text);
      const answer = await network.execute(query, variables, {}).toPromise();
      return dataOf(answer);
    },
    live: ({ next, end }) => {
      const text = print(LivePostsDocument);
      const { unsubscribe } = network
        .execute(parameters('LivePosts', 'subscription', text), {}, {})
        .subscribe({
          next: (answer) => next(dataOf(answer)),
          error: end,
          complete: () => end(),
        });
      return unsubscribe;
    },
  };
}

function plainApp(options: ConnectionOptions): App {
  const { url, fetch, subscribe } = connect(options);
  return {
    homeFeed: async (variables) => {
      const body = JSON.stringify({ query: print(HomeFeedDocument), variables });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url, { method: 'POST', headers, body });
      return dataOf(await answer.json());
    },
    live: ({ next, end }) =>
      subscribe<GraphqlResult>(
        { query: print(LivePostsDocument) },
        {
          next: (result) => (result.errors ? end(result.errors[0]) : next(dataOf(result))),
          error: end,
          complete: () => end(),
        },
      ),
  };
}

function required<T>(data: T | undefined): T {
  if (data === undefined) throw new Error('there is no data');
  return data;
}

function dataOf(answer: unknown) {
  const { data, errors } = Object(answer);
  if (errors) throw errors[0];
  return data;
}
