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

/** Kept by one process, in bounded memory: what was used least makes room. A restart loses all of it. */
export class MemoryKeptValues implements KeptValues {
  readonly #values: LRUCache<string, string>;

  constructor(max = MAX_KEPT) {
    this.#values = new LRUCache({ max, ttl: 1 });
  }

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

/** Kept for all gateways of one Redis, by keys that begin with `name`. */
export class RedisKeptValues implements KeptValues {
  readonly #redis: Redis;
  readonly #name: string;

  constructor(redis: Redis, name: string) {
    this.#redis = redis;
    this.#name = name;
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#ask(() => this.#redis.get(this.#named(key)))) ?? undefined;
  }

  async put(key: string, value: string, seconds: number): Promise<void> {
    await this.#ask(() => this.#redis.set(this.#named(key), value, 'EX', seconds));
  }

  async replace(key: string, value: string, seconds: number): Promise<void> {
    await this.#ask(() => this.#redis.set(this.#named(key), value, 'EX', seconds, 'XX'));
  }

  async delete(key: string): Promise<void> {
    await this.#ask(() => this.#redis.del(this.#named(key)));
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    return question().catch((cause) => {
      throw new ApiError('UNAVAILABLE', 'It cannot be checked now who asks', { cause });
    });
  }

  #named(key: string): string {
    return `stratos:sign-in:${this.#name}:${key}`;
  }
}

/** What signing in must know between two requests. */
export interface SignInValues {
  /** Of those on their way through their PDS, whom anybody can pretend to be. */
  flows: KeptValues;
  /** Of those who have come back from it. */
  sessions: KeptValues;
}

/** Keeps flows and sessions apart, so that no number of flows ends a session. */
export function createSignInValues(redis: Redis | undefined, max?: number): SignInValues {
  const named = (name: string) =>
    redis ? new RedisKeptValues(redis, name) : new MemoryKeptValues(max);
  return { flows: named('flow'), sessions: named('session') };
}
