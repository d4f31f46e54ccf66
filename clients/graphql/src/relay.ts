import { Network, Observable } from 'relay-runtime';
import { type ConnectionOptions, connect } from './connection.ts';

/** The network of a Relay environment to a gateway, for queries and subscriptions. */
export function createStratosNetwork(options: ConnectionOptions) {
  const { url, fetch, subscribe } = connect(options);
  return Network.create(
    async ({ text, name }, variables) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: text, operationName: name, variables }),
      });
      return response.json();
    },
    ({ text, name }, variables) =>
      Observable.create((sink) => subscribe({ query: text, operationName: name, variables }, sink)),
  );
}
