import { setTimeout as sleep } from 'node:timers/promises';
import type { Did } from '@stratos/protocol';
import type { Logger } from '../logger.ts';
import type { EventLog } from '../storage/service-storage.ts';
import { StreamSignal } from './stream-signal.ts';

const EVENTS_PER_READ = 500;
const LOOK_EVERY_MS = 5_000;
const RETRY_AFTER_MS = 1_000;

export interface ActorSignalsOptions {
  events: Pick<EventLog, 'head' | 'after'>;
  /** Raised when the node's stream has grown. */
  signal: Pick<StreamSignal, 'version' | 'changedSince'>;
  stopping: AbortSignal;
  logger: Logger;
}

/** Told when one actor's log has grown, until it is disposed of. */
export interface ActorWatch extends Disposable, Pick<StreamSignal, 'version' | 'changedSince'> {}

/**
 * Wakes those who wait for single actors. One reader follows the node's stream for all of them, so
 * that a write costs the same however many listen to others.
 */
export class ActorSignals {
  readonly #options: ActorSignalsOptions;
  readonly #watched = new Map<Did, { signal: StreamSignal; users: number }>();
  #isFollowing = false;

  constructor(options: ActorSignalsOptions) {
    this.#options = options;
  }

  /** Actors that somebody waits for. */
  get size(): number {
    return this.#watched.size;
  }

  watch(did: Did): ActorWatch {
    const entry = this.#watched.get(did) ?? { signal: new StreamSignal(), users: 0 };
    entry.users += 1;
    this.#watched.set(did, entry);
    if (!this.#isFollowing) void this.#follow();
    const { signal } = entry;
    return {
      get version() {
        return signal.version;
      },
      changedSince: (seen, options) => signal.changedSince(seen, options),
      [Symbol.dispose]: () => {
        entry.users -= 1;
        if (entry.users === 0) this.#watched.delete(did);
      },
    };
  }

  async #follow(): Promise<void> {
    const { stopping, logger } = this.#options;
    this.#isFollowing = true;
    while (this.#watched.size > 0 && !stopping.aborted) {
      try {
        await this.#followFromHere();
      } catch (error) {
        if (stopping.aborted) break;
        logger.error(
          { err: error },
          'the stream cannot be followed for those who listen to actors',
        );
        await sleep(RETRY_AFTER_MS);
      }
    }
    this.#isFollowing = false;
  }

  async #followFromHere(): Promise<void> {
    const { events, signal, stopping } = this.#options;
    let last = await events.head();
    // @NOTE what came before this position was not looked at, and may be what somebody waits for
    for (const watched of this.#watched.values()) watched.signal.wake();
    while (this.#watched.size > 0 && !stopping.aborted) {
      const seen = signal.version;
      const news = await events.after(last, EVENTS_PER_READ);
      last = news.at(-1)?.seq ?? last;
      for (const did of new Set(news.map((event) => event.did))) {
        this.#watched.get(did)?.signal.wake();
      }
      if (news.length === EVENTS_PER_READ) continue;
      await signal.changedSince(seen, { timeoutMs: LOOK_EVERY_MS, signal: stopping });
    }
  }
}
