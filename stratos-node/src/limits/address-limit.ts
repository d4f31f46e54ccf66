import { LRUCache } from 'lru-cache';
import type { IpRate } from '../config.ts';
import { NodeError } from '../node-error.ts';
import { addressGroup } from './client-address.ts';
import {
  MemoryRateCounter,
  type RateCount,
  type RateCounter,
  withFallback,
} from './rate-counter.ts';
import { rateLimitHeaders } from './rate-limit-headers.ts';

const MAX_BLOCKED = 50_000;

/** What one network address may do without saying who it is, or while failing to prove it. */
export class AddressLimit {
  readonly #rate: IpRate;
  readonly #counter: RateCounter;
  readonly #blockedUntil = new LRUCache<string, number>({ max: MAX_BLOCKED });

  constructor(rate: IpRate, shared: RateCounter = new MemoryRateCounter()) {
    this.#rate = rate;
    this.#counter = withFallback(shared, new MemoryRateCounter());
  }

  /** Counts an anonymous request, and says so in headers. Throws `RateLimitExceeded`. */
  async takeAnonymous(address: string): Promise<Record<string, string>> {
    const { maxRequests, windowMs } = this.#rate;
    const counted = await this.#counter.add(`anonymous ${addressGroup(address)}`, 1, windowMs);
    if (counted.count > maxRequests) throw this.#exceeded(counted);
    return this.#headers(counted);
  }

  /** Counts an attempt to be somebody that failed. */
  async addFailure(address: string): Promise<void> {
    const { maxRequests, windowMs } = this.#rate;
    const group = addressGroup(address);
    const { count, resetMs } = await this.#counter.add(`failed ${group}`, 1, windowMs);
    if (count >= maxRequests) this.#blockedUntil.set(group, Date.now() + resetMs);
  }

  /** What to throw for an address from which too many attempts failed: `RateLimitExceeded`. */
  failuresExceeded(address: string): NodeError | undefined {
    const group = addressGroup(address);
    const resetMs = (this.#blockedUntil.get(group) ?? 0) - Date.now();
    if (resetMs <= 0) return undefined;
    return this.#exceeded({ count: this.#rate.maxRequests, resetMs });
  }

  #exceeded(counted: RateCount): NodeError {
    return new NodeError('RateLimitExceeded', undefined, {
      retryAfterSeconds: counted.resetMs / 1000,
      headers: this.#headers(counted),
    });
  }

  #headers({ count, resetMs }: RateCount): Record<string, string> {
    const { maxRequests, windowMs } = this.#rate;
    return rateLimitHeaders({
      limit: maxRequests,
      windowMs,
      remaining: maxRequests - count,
      resetMs,
    });
  }
}
