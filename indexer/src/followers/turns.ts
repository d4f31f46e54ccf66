import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';

/** Milliseconds that a batch waits at a time: who takes back without end must not stop all else. */
const MOST_MS = 20;

/**
 * Where batches of all sources wait to be applied: who has come first is next. What is taken back goes before
 * them, as each of its statements would otherwise wait for a thread and a processor that are busy.
 */
export class Turns {
  readonly #batches: PQueue;
  #running = 0;
  #free = Promise.withResolvers<void>();

  /** @param batches - that are applied at the same time: what flooding sources can take up at most */
  constructor(batches: number) {
    this.#batches = new PQueue({ concurrency: batches });
  }

  /** Applies a batch when it is its turn. */
  async next<T>(apply: () => Promise<T>): Promise<T> {
    await this.untilFree();
    return this.#batches.add(apply);
  }

  /** Takes something back. */
  async first<T>(takeBack: () => Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      return await takeBack();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) {
        this.#free.resolve();
        this.#free = Promise.withResolvers();
      }
    }
  }

  /** Waits until nothing is being taken back, or for long enough. */
  async untilFree(): Promise<void> {
    if (this.#running > 0) await Promise.race([this.#free.promise, sleep(MOST_MS)]);
  }
}
