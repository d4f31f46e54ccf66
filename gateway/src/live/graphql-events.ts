import type { Request } from 'express';
import { createSourceEventStream } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { ServerContext } from '../graphql/server.ts';
import type { Logger } from '../logger.ts';
import type { RequestContext } from '../request-context.ts';
import { EventSource } from './event-source.ts';
import type { GraphqlConnections } from './graphql-connections.ts';
import { GraphqlSubscription, type PersonalForms } from './graphql-subscription.ts';
import { PostStream } from './post-stream.ts';
import { sendEvents } from './send-events.ts';

const FRAMING = {
  before: (cursor: string) => `id: ${cursor}\nevent: next\ndata: `,
  after: '\n\n',
};
const COMPLETE = Buffer.from('event: complete\ndata:\n\n');

export interface GraphqlEventsOptions {
  connections: GraphqlConnections;
  logger: Logger;
}

/**
 * Sends subscriptions as server-sent events by the GraphQL over SSE protocol, each event written down once for
 * all who get the same: in an answer of their own, or on a connection that several share.
 */
export function graphqlEvents({
  connections,
  logger,
}: GraphqlEventsOptions): Plugin<RequestContext & ServerContext, ServerContext> {
  const personal: PersonalForms = new Set();
  const subscriptions = new WeakMap<Request, GraphqlSubscription>();
  return {
    onSubscribe({ args: { contextValue }, setSubscribeFn }) {
      setSubscribeFn(async (args) => {
        const source = await createSourceEventStream(args);
        if (!(source instanceof PostStream)) return source;
        const subscription = new GraphqlSubscription(source, args, { personal, logger });
        subscriptions.set(contextValue.req, subscription);
        return { data: null };
      });
    },
    onResultProcess({ serverContext: { req, res }, result, setResultProcessor }) {
      const subscription = subscriptions.get(req);
      const shared = connections.askedFor(req);
      if (shared) {
        setResultProcessor(async (_, { Response }) => {
          const status = shared.carry(req, subscription ?? result);
          return new Response(null, { status });
        }, 'text/event-stream');
      } else if (subscription) {
        setResultProcessor(async (_, { Response }) => {
          using _stream = subscription.stream;
          if (!req.headers.accept?.includes('text/event-stream')) {
            return new Response(null, { status: 406, headers: { accept: 'text/event-stream' } });
          }
          const source = new EventSource(res);
          await sendEvents(subscription, source, FRAMING);
          await source.send([COMPLETE]);
          await source.end();
          return new Response(null);
        }, 'text/event-stream');
      }
    },
  };
}
