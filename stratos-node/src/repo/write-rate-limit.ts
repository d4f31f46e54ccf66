import type { Did } from '@stratos/protocol';
import type { WriteRate } from '../config.ts';
import { rateLimitHeaders } from '../limits/rate-limit-headers.ts';
import { NodeError } from '../node-error.ts';

interface Writer {
  /** When each write of the window happened, oldest first. */
  writes: number[];
  blockedUntil: number;
}

const SWEEP_ABOVE = 10_000;

/** How much each person may write. */
export interface WriteLimit {
  /** Counts writes. Throws `RateLimitExceeded` when they are too many. */
  take(did: Did, count?: number): Promise<void>;
}

/** A sliding window of writes per person; whoever exceeds it waits for a cooldown. */
export class WriteRateLimit implements WriteLimit {
  readonly #rate: WriteRate;
  readonly #now: () => number;
  readonly #writers = new Map<Did, Writer>();

  constructor(rate: WriteRate, now: () => number = Date.now) {
    this.#rate = rate;
    this.#now = now;
  }

  async take(did: Did, count = 1): Promise<void> {
    const now = this.#now();
    if (this.#writers.size > SWEEP_ABOVE) this.#sweep(now);
    const writer = this.#writers.get(did) ?? { writes: [], blockedUntil: 0 };
    this.#writers.set(did, writer);
    if (writer.blockedUntil > now) throw tooManyWrites(this.#rate, writer.blockedUntil - now);
    writer.writes = writer.writes.filter((at) => at > now - this.#rate.windowMs);
    if (writer.writes.length + count > this.#rate.maxWrites) {
      const cooldownMs = this.#rate.cooldownMs + Math.random() * this.#rate.cooldownJitterMs;
      writer.blockedUntil = now + cooldownMs;
      throw tooManyWrites(this.#rate, cooldownMs);
    }
    for (let i = 0; i < count; i += 1) writer.writes.push(now);
  }

  #sweep(now: number): void {
    for (const [did, { writes, blockedUntil }] of this.#writers) {
      const newest = writes.at(-1) ?? 0;
      if (blockedUntil <= now && newest <= now - this.#rate.windowMs) this.#writers.delete(did);
    }
  }
}

export function tooManyWrites({ maxWrites, windowMs }: WriteRate, waitMs: number): NodeError {
  return new NodeError('RateLimitExceeded', 'Too many writes', {
    retryAfterSeconds: waitMs / 1000,
    headers: rateLimitHeaders({ limit: maxWrites, windowMs, remaining: 0, resetMs: waitMs }),
  });
}
