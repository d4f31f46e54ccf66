import { type ClientOptions, fetchExchange, subscriptionExchange } from '@urql/core';
import { type ConnectionOptions, connect } from './connection.ts';

/**
 * Options of an urql client of a gateway. Put the exchanges of a cache before `exchanges`, which send queries
 * and follow subscriptions.
 */
export function stratosOptions(
  options: ConnectionOptions,
): Pick<ClientOptions, 'exchanges' | 'fetch' | 'preferGetMethod' | 'url'> {
  const { url, fetch, subscribe } = connect(options);
  return {
    url,
    fetch: (input, init) => fetch(input instanceof Request ? input.url : input, init),
    preferGetMethod: false,
    exchanges: [
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({ unsubscribe: subscribe(request, sink) }),
        }),
      }),
      fetchExchange,
    ],
  };
}
