import { follow } from './follow.ts';
import { retrying } from './retrying.ts';
import { type Send, type Session, sendAs } from './session.ts';
import { byHash } from './trusted.ts';

export interface ConnectionOptions {
  /** Base URL of the gateway. */
  gateway: string;
  /**
   * Who asks: a session that renews itself, or a token. Without it requests are those of the page, which has
   * to be of the gateway's own origin.
   */
  session?: Session | string | undefined;
  /** How often a query is sent again that could not be answered just now: 3 unless given. */
  retries?: number | undefined;
  /** Whether to send the hash of each document in place of it, for gateways that run only those they know. */
  isTrusted?: boolean | undefined;
}

/** An operation as GraphQL clients send it. */
export interface GraphqlRequest {
  query?: string | null | undefined;
  operationName?: string | null | undefined;
  variables?: object | null | undefined;
  extensions?: object | null | undefined;
}

/** An answer, or one of those of a subscription. */
export interface GraphqlResult {
  data?: Record<string, unknown> | null;
  errors?: readonly { message: string; extensions?: { code?: string } }[];
}

/** Where results go, as the client at hand has them. */
export interface Sink<Result> {
  next(result: Result): void;
  error(error: unknown): void;
  complete(): void;
}

/** How a GraphQL client reaches a gateway as somebody who is signed in. */
export interface Connection {
  /** Where to send queries. */
  readonly url: string;
  /** Sends them, as the `fetch` option of any client. */
  readonly fetch: Send;
  /** Follows a subscription, which goes on by itself without a gap. Answers what ends it. */
  subscribe<Result = GraphqlResult>(request: GraphqlRequest, sink: Sink<Result>): () => void;
}

export function connect({
  gateway,
  session,
  retries = 3,
  isTrusted = false,
}: ConnectionOptions): Connection {
  const url = new URL('/graphql', gateway).href;
  const whole = sendAs(session);
  const send = isTrusted ? byHash(whole) : whole;
  return {
    url,
    fetch: retrying(send, retries),
    subscribe<Result>(request: GraphqlRequest, sink: Sink<Result>) {
      const stop = new AbortController();
      const { signal } = stop;
      const pass = async () => {
        for await (const result of follow<Result>(request, { url, send, signal })) {
          sink.next(result);
        }
      };
      pass().then(
        () => sink.complete(),
        (error: unknown) => (signal.aborted ? sink.complete() : sink.error(error)),
      );
      return () => stop.abort();
    },
  };
}
