import type { ServerResponse } from 'node:http';
import type { Request } from 'express';
import { createSourceEventStream } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { toRequestError } from '../graphql/errors.ts';
import type { ServerContext } from '../graphql/server.ts';
import type { Logger } from '../logger.ts';
import type { RequestContext } from '../request-context.ts';
import { EventSource } from './event-source.ts';
import type { GraphqlConnection, GraphqlConnections } from './graphql-connections.ts';
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
  const carriers = new WeakMap<Request, GraphqlConnection>();
  return {
    onContextBuilding() {
      return ({ context: { req, caller } }) => {
        try {
          const carrier = connections.carrierOf(req, caller?.did);
          if (carrier) carriers.set(req, carrier);
        } catch (error) {
          throw toRequestError(error, logger);
        }
      };
    },
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
      const carrier = carriers.get(req);
      if (carrier) {
        setResultProcessor(async (_, { Response }) => {
          const status = carrier.carry(req, subscription ?? result);
          return new Response(null, { status });
        }, 'text/event-stream');
      } else if (subscription) {
        setResultProcessor((_, { Response }) => {
          if (!req.headers.accept?.includes('text/event-stream')) {
            subscription.stream[Symbol.dispose]();
            return new Response(null, { status: 406, headers: { accept: 'text/event-stream' } });
          }
          void answer(subscription, res, logger);
          // The server has done its part, and is left waiting: it would keep what it knows of the request.
          return new Promise<never>(() => {});
        }, 'text/event-stream');
      }
    },
  };
}

async function answer(
  subscription: GraphqlSubscription,
  res: ServerResponse,
  logger: Logger,
): Promise<void> {
  using _stream = subscription.stream;
  const source = new EventSource(res);
  try {
    await sendEvents(subscription, source, FRAMING);
    await source.send([COMPLETE]);
    await source.end();
  } catch (error) {
    logger.error({ error }, 'GraphQL stream');
    res.destroy();
  }
}
