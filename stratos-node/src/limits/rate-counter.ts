import { LRUCache } from 'lru-cache';

/** How often something happened in the window that is running. */
export interface RateCount {
  count: number;
  /** Milliseconds until the window ends and the count begins anew. */
  resetMs: number;
}

/** Counts what happens for each key in windows of time; several processes may share it. */
export interface RateCounter {
  /**
   * Adds to the count of a key, whose window begins with the first. Adding 0 asks.
   *
   * @returns the count from then on; rejects when it cannot tell
   */
  add(key: string, count: number, windowMs: number): Promise<RateCount>;
}

interface Counted {
  count: number;
  endsAt: number;
}

/** Keys that are counted at once; beyond that, the one that was quiet for longest is forgotten. */
const KEPT = 50_000;

/** Counts for one process, in bounded memory. */
export class MemoryRateCounter implements RateCounter {
  readonly #now: () => number;
  readonly #counts: LRUCache<string, Counted>;

  constructor(now: () => number = Date.now, kept = KEPT) {
    this.#now = now;
    this.#counts = new LRUCache({ max: kept });
  }

  async add(key: string, count: number, windowMs: number): Promise<RateCount> {
    const now = this.#now();
    const known = this.#counts.get(key);
    const counted = known && known.endsAt > now ? known : { count: 0, endsAt: now + windowMs };
    counted.count += count;
    if (counted !== known && count > 0) this.#counts.set(key, counted);
    return { count: counted.count, resetMs: counted.endsAt - now };
  }
}

/** Counts where several processes share it, and in each of them alone while that cannot be reached. */
export function withFallback(shared: RateCounter, own: RateCounter): RateCounter {
  return {
    add: (key, count, windowMs) =>
      shared.add(key, count, windowMs).catch(() => own.add(key, count, windowMs)),
  };
}
