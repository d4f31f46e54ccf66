import type { Did } from '@stratos/protocol';
import { ApiError } from '@stratos/schema';
import type { Response } from 'express';
import type { Redis } from 'ioredis';
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import { addressGroup } from './address-group.ts';

/** Seconds for which it is counted what somebody asks. */
const WINDOW = 60;

export interface RateLimitsOptions {
  /** Cost of all queries of one viewer in a minute, see `query-cost.ts`. */
  costPerMinute: number;
  /** Requests of one network address in a minute that do not prove who asks. */
  strangersPerMinute: number;
  /** Where gateways count together; each counts alone while it is away. */
  redis?: Redis | undefined;
}

/** Who sends a request, as far as the network tells. */
export interface Stranger {
  ip?: string | undefined;
}

/** How much may be asked in a minute, by viewers and by those who are nobody yet. */
export class RateLimits {
  readonly #viewers: RateLimiterAbstract;
  readonly #strangers: RateLimiterAbstract;

  constructor({ costPerMinute, strangersPerMinute, redis }: RateLimitsOptions) {
    this.#viewers = limiter('viewer', costPerMinute, redis);
    this.#strangers = limiter('stranger', strangersPerMinute, redis);
  }

  /** Counts what a viewer asks for. Throws `RATE_LIMITED`, and says in a header when to go on. */
  async spend(viewer: Did, cost: number, res?: Response): Promise<void> {
    await this.#viewers.consume(viewer, cost).catch((reason) => refuse(reason, res));
  }

  /** Counts a request by nobody. Throws `RATE_LIMITED`. */
  async countStranger({ ip }: Stranger, res?: Response): Promise<void> {
    await this.#strangers.consume(addressGroup(ip)).catch((reason) => refuse(reason, res));
  }

  /** Throws `RATE_LIMITED` when strangers at this address have asked too much. */
  async checkStranger({ ip }: Stranger, res?: Response): Promise<void> {
    const counted = await this.#strangers.get(addressGroup(ip));
    if (counted && counted.consumedPoints > this.#strangers.points) refuse(counted, res);
  }
}

function limiter(name: string, points: number, redis: Redis | undefined): RateLimiterAbstract {
  const options = { points, duration: WINDOW, keyPrefix: `stratos:rate:${name}` };
  const own = new RateLimiterMemory(options);
  if (!redis) return own;
  return new RateLimiterRedis({
    ...options,
    storeClient: redis,
    rejectIfRedisNotReady: true,
    insuranceLimiter: own,
  });
}

function refuse(reason: unknown, res: Response | undefined): never {
  if (!(reason instanceof RateLimiterRes)) throw reason;
  res?.setHeader('Retry-After', Math.max(1, Math.ceil(reason.msBeforeNext / 1000)));
  throw new ApiError('RATE_LIMITED', 'Too much was asked; go on when Retry-After says so');
}
