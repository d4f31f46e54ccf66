import { ApolloLink, HttpLink, type InMemoryCacheConfig, Observable } from '@apollo/client';
import { OperationTypeNode, print } from 'graphql';
import { type ConnectionOptions, connect } from './connection.ts';

/** What the cache of an Apollo client has to know of the schema. */
export const CACHE_OPTIONS = {
  possibleTypes: {
    Node: ['Post'],
    PostEvent: [
      'BoundaryClosed',
      'BoundaryOpened',
      'PostRemoved',
      'PostShown',
      'StreamClosed',
      'StreamOpened',
      'StreamReset',
    ],
  },
  typePolicies: {
    BoundaryInfo: { keyFields: ['uri'] },
    Profile: { keyFields: ['did'] },
    // One event takes the place of the other.
    Subscription: { fields: { posts: { merge: false } } },
  },
} satisfies InMemoryCacheConfig;

/** The link of an Apollo client to a gateway, for queries and subscriptions. */
export function createStratosLink(options: ConnectionOptions): ApolloLink {
  const { url, fetch, subscribe } = connect(options);
  const queries = new HttpLink({
    uri: url,
    fetch: (input, init) => fetch(input instanceof Request ? input.url : input, init),
  });
  const subscriptions = new ApolloLink(
    ({ query, variables, operationName }) =>
      new Observable((observer) =>
        subscribe({ query: print(query), variables, operationName }, observer),
      ),
  );
  return ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    subscriptions,
    queries,
  );
}
