import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { RateCount, RateCounter } from '../limits/rate-counter.ts';

const ADD = `
  local count = redis.call('INCRBY', KEYS[1], ARGV[1])
  local left = redis.call('PTTL', KEYS[1])
  if left < 0 then
    left = tonumber(ARGV[2])
    redis.call('PEXPIRE', KEYS[1], left)
  end
  return {count, left}`;

/** Counts that all processes share. It rejects while Valkey cannot be asked. */
export class ValkeyRateCounter implements RateCounter {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async add(key: string, count: number, windowMs: number): Promise<RateCount> {
    const name = `${this.#prefix}rate:${createHash('sha256').update(key).digest('base64url')}`;
    const answer = await this.#redis.eval(ADD, 1, name, count, windowMs);
    const [counted, resetMs] = answer as [number, number];
    return { count: counted, resetMs };
  }
}
