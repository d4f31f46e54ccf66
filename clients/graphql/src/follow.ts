import type { GraphqlRequest } from './connection.ts';
import { isPassing, isUnreached, pause } from './retrying.ts';
import { type ServerSentEvent, serverSentEvents } from './server-sent-events.ts';
import type { Send } from './session.ts';

export interface FollowOptions {
  url: string;
  send: Send;
  /** Ends it. */
  signal: AbortSignal;
}

/** Reasons of `StreamClosed` after which the same is asked for again. */
const TO_GO_ON = new Set(['RECONNECT', 'SESSION_EXPIRED']);

/**
 * What a subscription is told, until it is complete. Where the connection is lost, the gateway goes away or the
 * session ends, it goes on after the last event, and that is not told. Rejects with what ends it otherwise.
 */
export async function* follow<Result>(
  request: GraphqlRequest,
  { url, send, signal }: FollowOptions,
): AsyncGenerator<Result, void> {
  const body = JSON.stringify(request);
  let lastEventId: string | undefined;
  for (let failures = 0; ; ) {
    try {
      for await (const { id, event, data } of events({ url, send, signal, body, lastEventId })) {
        if (event === 'complete') return;
        const result = JSON.parse(data);
        if (isToGoOn(result)) break;
        lastEventId = id ?? lastEventId;
        failures = 0;
        yield result;
      }
      signal.throwIfAborted();
    } catch (error) {
      if (signal.aborted || !isUnreached(error)) throw error;
    }
    await pause(failures, signal);
    failures += 1;
  }
}

interface EventsOptions extends FollowOptions {
  body: string;
  lastEventId: string | undefined;
}

/** Ends where the connection does. What is refused is one event, and no more follow. */
async function* events({
  url,
  send,
  signal,
  body,
  lastEventId,
}: EventsOptions): AsyncGenerator<ServerSentEvent, void> {
  const response = await send(url, {
    method: 'POST',
    headers: {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    },
    body,
    signal,
  });
  if (response.ok && response.body) {
    yield* serverSentEvents(response.body);
  } else if (isPassing(response)) {
    await response.body?.cancel();
  } else {
    yield { event: 'next', data: await response.text() };
    yield { event: 'complete', data: '' };
  }
}

function isToGoOn({ data }: { data?: object | null }): boolean {
  return Object.values(data ?? {}).some((event) => {
    const { __typename, reason } = Object(event);
    return __typename === 'StreamClosed' && TO_GO_ON.has(reason);
  });
}
