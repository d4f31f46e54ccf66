import { setTimeout as sleep } from 'node:timers/promises';
import { type Did, mintServiceAuth, type SigningKey, type Tid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { Room } from '../arrivals.ts';
import type { NodeIdentity } from '../node-identity.ts';
import { NodeStream, NodeStreamError } from '../node-stream.ts';
import { applyHints, type HintPlace } from './apply-hints.ts';
import { LOSS, readHint } from './read-hint.ts';

/** What is read of one repo's stream at a time: little is kept of what is not believed. */
const ROOM: Room = { count: 500, bytes: 256 * 1024 };
/** Milliseconds between two looks at what has come, so that a busy repo is not fetched for each change. */
const GATHER_MS = 2_000;
/** Milliseconds without an event after which a turn ends, and after which it does in any case. */
const QUIET_MS = 3_000;
const TURN_MS = 10_000;
/** The same while nobody else waits. */
const LONG_TURN_MS = 60_000;

export interface ActorSource extends Omit<HintPlace, 'did'> {
  node: NodeIdentity;
  appView: { did: Did; key: SigningKey };
  devMode: boolean;
  /** Milliseconds without an event after which a turn ends. */
  quietMs?: number;
  /** Whether others wait for a turn. */
  isCrowded: () => boolean;
}

/**
 * Listens to the stream of one repo for a turn.
 *
 * @throws NodeStreamError, GarbledStreamError for what is none, or BrokenPromiseError
 */
export async function listenToActor(
  source: ActorSource,
  did: Did,
  signal: AbortSignal,
): Promise<void> {
  const { db, nodeDid, fence, node, appView, devMode } = source;
  const place = { db, nodeDid, did, fence };
  const known = await db.actorCursor.findUnique({ where: { did_nodeDid: { did, nodeDid } } });
  const lxm = zone.stratos.sync.subscribeRecords.$lxm;
  const { did: issuer, key } = appView;
  const token = await mintServiceAuth({ issuer, audience: nodeDid, lxm, key });
  using turn = new Turn(source, signal);
  using stream = new NodeStream({
    ...{ endpoint: node.endpoint, did, token, devMode, room: ROOM, signal: turn.signal },
    cursor: known ? Number(known.seq) : undefined,
    stallMs: 2 * LONG_TURN_MS,
    onOpen: () => turn.heard(),
    onArrival: () => turn.heard(),
  });
  let promised: Tid | undefined;
  try {
    for (;;) {
      const events = await stream.take(ROOM.count);
      if (!events) return;
      const hints = events.flatMap((event) => readHint(event, did) ?? []);
      if (hints.length > 0) await applyHints(place, hints, promised);
      for (const { rev } of hints) if (rev && rev > (promised ?? '')) promised = rev;
      await sleep(GATHER_MS, undefined, { signal: turn.signal }).catch(() => {});
    }
  } catch (error) {
    if (!(error instanceof NodeStreamError) || error.code !== 'FutureCursor') throw error;
    // The node has less than it told before, or another repo. The repo itself shows which.
    await applyHints(place, [LOSS]);
  }
}

/** How long somebody may be listened to: not for long while others wait. */
class Turn implements Disposable {
  readonly #end = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #begun = performance.now();
  /** Undefined until the node lets us listen. */
  #heardAt: number | undefined;
  readonly signal: AbortSignal;

  constructor({ isCrowded, quietMs = QUIET_MS }: ActorSource, signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#end.signal]);
    this.#timer = setInterval(() => {
      const now = performance.now();
      const isLong = now - this.#begun > (isCrowded() ? TURN_MS : LONG_TURN_MS);
      const isQuiet = now - (this.#heardAt ?? now) > quietMs;
      if (isLong || (isQuiet && isCrowded())) this.#end.abort();
    }, quietMs / 4);
  }

  heard(): void {
    this.#heardAt = performance.now();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#end.abort();
  }
}
