import type { StratosRouter } from '@stratos/schema/trpc';
import {
  createTRPCClient,
  httpBatchStreamLink,
  httpSubscriptionLink,
  splitLink,
  type TRPCClient,
} from '@trpc/client';
import { EventSource } from 'eventsource';
import { isUnreached } from './errors.ts';
import { retryLink } from './retry-link.ts';
import { type Send, type Session, sendAs } from './session.ts';

export interface StratosClientOptions {
  /** Base URL of the gateway. */
  gateway: string;
  /**
   * Who asks: a session that renews itself, or a token. Without it calls are those of the page, which has to
   * be of the gateway's own origin.
   */
  session?: Session | string | undefined;
  /** How often a query is asked again that could not be answered just now: 3 unless given. */
  retries?: number | undefined;
}

/** The operations of the gateway, typed by its own router. */
export type StratosClient = TRPCClient<StratosRouter>;

const MAX_BATCH = 10;

/**
 * A client of a gateway's tRPC. Calls made at the same time travel together, and each is answered as soon as
 * it can be. Subscriptions go on by themselves, without a gap, after lost connections and ended sessions.
 * Calls reject with a `StratosError`.
 */
export function createStratosClient({
  gateway,
  session,
  retries = 3,
}: StratosClientOptions): StratosClient {
  const url = new URL('/trpc', gateway).href;
  const send = sendAs(session);
  return createTRPCClient<StratosRouter>({
    links: [
      retryLink(retries),
      splitLink({
        condition: ({ type }) => type === 'subscription',
        true: httpSubscriptionLink({
          url,
          EventSource,
          eventSourceOptions: { fetch: endingIfRefused(send) },
        }),
        false: httpBatchStreamLink({
          url,
          maxItems: MAX_BATCH,
          fetch: (input, init) => send(input.toString(), init),
        }),
      }),
    ],
  });
}

/** An `EventSource` tries again whatever is thrown, so a session that is over has to be an answer. */
function endingIfRefused(send: Send): Send {
  return async (input, init) => {
    try {
      return await send(input, init);
    } catch (error) {
      if (isUnreached(error) || init?.signal?.aborted) throw error;
      return new Response(null, { status: 401 });
    }
  };
}
