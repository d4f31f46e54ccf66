import type { Did } from '@stratos/protocol';
import type { Redis } from 'ioredis';
import type { WriteRate } from '../config.ts';
import type { Logger } from '../logger.ts';
import { tooManyWrites, type WriteLimit, WriteRateLimit } from '../repo/write-rate-limit.ts';

/** The same as {@link WriteRateLimit} does in memory. Answers how long the writer has to wait. */
const TAKE = `
  local wait = redis.call('PTTL', KEYS[2])
  if wait > 0 then return wait end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local window, most, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
  if redis.call('ZCARD', KEYS[1]) + count > most then
    redis.call('SET', KEYS[2], '1', 'PX', ARGV[4])
    return tonumber(ARGV[4])
  end
  for i = 1, count do
    redis.call('ZADD', KEYS[1], now, time[1] .. '.' .. time[2] .. '.' .. i)
  end
  redis.call('PEXPIRE', KEYS[1], window)
  return 0`;

/** Writes of a person at all processes together. While Valkey is away each process counts its own. */
export class ValkeyWriteRateLimit implements WriteLimit {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #rate: WriteRate;
  readonly #own: WriteRateLimit;
  readonly #logger: Logger;

  constructor(redis: Redis, options: { prefix: string; rate: WriteRate; logger: Logger }) {
    this.#redis = redis;
    this.#prefix = options.prefix;
    this.#rate = options.rate;
    this.#own = new WriteRateLimit(options.rate);
    this.#logger = options.logger;
  }

  async take(did: Did, count = 1): Promise<void> {
    const { windowMs, maxWrites, cooldownMs, cooldownJitterMs } = this.#rate;
    const key = `${this.#prefix}writes:{${did}}`;
    const cooldown = Math.max(1, Math.ceil(cooldownMs + Math.random() * cooldownJitterMs));
    let waitMs: number;
    try {
      const args = [windowMs, maxWrites, count, cooldown];
      waitMs = Number(await this.#redis.eval(TAKE, 2, key, `${key}:cooldown`, ...args));
    } catch (error) {
      const reason = error instanceof Error ? error.name : 'unknown';
      this.#logger.warn({ reason }, 'writes are counted by this process alone');
      return this.#own.take(did, count);
    }
    if (waitMs > 0) throw tooManyWrites(this.#rate, waitMs);
  }
}
