import type { StratosRouter } from '@stratos/schema/trpc';
import type { Operation, TRPCLink } from '@trpc/client';
import { observable, type Unsubscribable } from '@trpc/server/observable';
import { isPassing } from './errors.ts';

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;

/**
 * Asks again, after longer and longer waits, what could not be answered just now: queries a few times,
 * subscriptions until they are stopped. A subscription goes on after the last event that it has, also where it
 * ended with the session that opened it.
 */
export function retryLink(retries: number): TRPCLink<StratosRouter> {
  return () =>
    ({ op, next }) =>
      observable((observer) => {
        const most = op.type === 'subscription' ? Number.POSITIVE_INFINITY : retries;
        let failures = 0;
        let lastEventId: string | undefined;
        let asked: Unsubscribable | undefined;
        let waiting: ReturnType<typeof setTimeout> | undefined;
        let isToGoOn = false;

        const askAgain = (waitMs: number) => {
          isToGoOn = true;
          asked?.unsubscribe();
          waiting = setTimeout(ask, waitMs);
        };
        const ask = () => {
          isToGoOn = false;
          asked = next(goingOn(op, lastEventId)).subscribe({
            next(envelope) {
              const { result } = envelope;
              if (isSessionOver(result)) return askAgain(0);
              if ('data' in result) failures = 0;
              if ('id' in result) lastEventId = result.id ?? lastEventId;
              observer.next(envelope);
            },
            error(error) {
              if (failures >= most || op.signal?.aborted || !isPassing(error)) {
                observer.error(error);
              } else {
                askAgain(waitFor(failures));
                failures += 1;
              }
            },
            complete() {
              // What is stopped completes, too.
              if (!isToGoOn) observer.complete();
            },
          });
        };

        ask();
        return () => {
          clearTimeout(waiting);
          asked?.unsubscribe();
        };
      });
}

function goingOn(op: Operation, lastEventId: string | undefined): Operation {
  return lastEventId === undefined ? op : { ...op, input: { ...Object(op.input), lastEventId } };
}

/** Milliseconds, half of them by chance so that clients do not come back all at once. */
function waitFor(failures: number): number {
  const most = Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS);
  return most * (0.5 + Math.random() / 2);
}

/** What a stream says last when the session that opened it is over. */
function isSessionOver(result: { data?: unknown }): boolean {
  const { type, reason } = Object(Object(result.data).data);
  return type === 'closed' && reason === 'sessionExpired';
}
