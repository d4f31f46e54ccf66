import { randomUUID } from 'node:crypto';
import type { Did } from '@stratos/protocol';
import type { Redis } from 'ioredis';
import type { SharedList } from '../enrollment/allow-list.ts';

const DIDS_PER_COMMAND = 1_000;
/** Seconds after which a list that was being written is thrown away. */
const UNFINISHED_FOR = 600;

/**
 * People who may enroll, in two sets: `{name}`, which belongs to the operator, and
 * `{name}:fetched`, which has the list that was read last.
 */
export class ValkeyList implements SharedList {
  readonly #redis: Redis;
  readonly #name: string;
  readonly #fetched: string;

  constructor(redis: Redis, name: string) {
    this.#redis = redis;
    this.#name = name;
    this.#fetched = `${name}:fetched`;
  }

  async has(did: Did): Promise<boolean> {
    return (await this.#redis.sismember(this.#name, did)) === 1;
  }

  async wasListed(did: Did): Promise<boolean> {
    return (await this.#redis.sismember(this.#fetched, did)) === 1;
  }

  async keep(dids: ReadonlySet<string>): Promise<void> {
    if (dids.size === 0) {
      await this.#redis.del(this.#fetched);
      return;
    }
    const unfinished = `${this.#fetched}:${randomUUID()}`;
    const all = [...dids];
    for (let start = 0; start < all.length; start += DIDS_PER_COMMAND) {
      await this.#redis.sadd(unfinished, ...all.slice(start, start + DIDS_PER_COMMAND));
      await this.#redis.expire(unfinished, UNFINISHED_FOR);
    }
    await this.#redis.persist(unfinished);
    await this.#redis.rename(unfinished, this.#fetched);
  }
}
