import { ApiError } from '@stratos/schema';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';

/** Values by key, each for some seconds. Throws `UNAVAILABLE` while it cannot be asked. */
export interface KeptValues {
  get(key: string): Promise<string | undefined>;
  put(key: string, value: string, seconds: number): Promise<void>;
  /** Replaces what is there, and does nothing where nothing is. */
  replace(key: string, value: string, seconds: number): Promise<void>;
  delete(key: string): Promise<void>;
}

const MAX_KEPT = 100_000;

/** Kept by one process, in bounded memory. A restart loses all of it. */
export class MemoryKeptValues implements KeptValues {
  readonly #values = new LRUCache<string, string>({ max: MAX_KEPT, ttl: 1 });

  async get(key: string): Promise<string | undefined> {
    return this.#values.get(key);
  }

  async put(key: string, value: string, seconds: number): Promise<void> {
    this.#values.set(key, value, { ttl: seconds * 1000 });
  }

  async replace(key: string, value: string, seconds: number): Promise<void> {
    if (this.#values.has(key)) await this.put(key, value, seconds);
  }

  async delete(key: string): Promise<void> {
    this.#values.delete(key);
  }
}

/** Kept for all gateways of one Redis. */
export class RedisKeptValues implements KeptValues {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#ask(() => this.#redis.get(named(key)))) ?? undefined;
  }

  async put(key: string, value: string, seconds: number): Promise<void> {
    await this.#ask(() => this.#redis.set(named(key), value, 'EX', seconds));
  }

  async replace(key: string, value: string, seconds: number): Promise<void> {
    await this.#ask(() => this.#redis.set(named(key), value, 'EX', seconds, 'XX'));
  }

  async delete(key: string): Promise<void> {
    await this.#ask(() => this.#redis.del(named(key)));
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    return question().catch((cause) => {
      throw new ApiError('UNAVAILABLE', 'It cannot be checked now who asks', { cause });
    });
  }
}

function named(key: string): string {
  return `stratos:sign-in:${key}`;
}
