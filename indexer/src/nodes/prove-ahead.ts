import type { Did } from '@stratos/protocol';
import { type KnownKey, type ProvenEvent, proveEvent } from '../applying/prove-event.ts';
import type { Turns } from '../followers/turns.ts';
import { Arrivals, type Room } from './arrivals.ts';
import type { NodeStream } from './node-stream.ts';

/** Events that are proven and wait to be applied: as many as are applied at once, and half of that. */
const MOST_PROVEN = 750;
/**
 * Events that are proven at the same time, with their signatures on other threads. Between two such runs
 * Postgres is listened to, whose every answer would wait for more.
 */
const AT_ONCE = 8;

export interface ProveAheadOptions {
  nodeDid: Did;
  knownKey: KnownKey;
  room: Room;
  turns: Pick<Turns, 'untilFree'>;
}

export interface ProvenStream extends AsyncDisposable {
  take: Arrivals<ProvenEvent>['take'];
}

/** Proves events as they arrive, while those before them are written. */
export function proveAhead(
  stream: NodeStream,
  { nodeDid, knownKey, room, turns }: ProveAheadOptions,
): ProvenStream {
  const proven = new Arrivals<ProvenEvent>({
    count: MOST_PROVEN,
    get bytes() {
      return room.bytes;
    },
  });
  const running = (async () => {
    for (;;) {
      await proven.untilRoom();
      await turns.untilFree();
      const events = await stream.take(AT_ONCE);
      if (!events) return proven.end();
      for (const event of await Promise.all(
        events.map((each) => proveEvent(each, nodeDid, knownKey)),
      )) {
        proven.push(event, event.size);
      }
    }
  })().catch((error) => proven.end(error));
  return {
    take: (most, isLast) => proven.take(most, isLast),
    async [Symbol.asyncDispose]() {
      proven.clear();
      stream[Symbol.dispose]();
      await running;
    },
  };
}
