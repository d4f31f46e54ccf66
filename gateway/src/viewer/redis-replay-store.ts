import { createHash } from 'node:crypto';
import { type ReplayStore, ReplayStoreError } from '@stratos/protocol';
import type { Redis } from 'ioredis';

/** A replay store that gateways share. It rejects while Redis cannot be asked. */
export class RedisReplayStore implements ReplayStore {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async claim(id: string, expiresAt: Date): Promise<boolean> {
    const key = `stratos:replay:${createHash('sha256').update(id).digest('base64url')}`;
    const milliseconds = Math.max(1, expiresAt.getTime() - Date.now());
    try {
      return (await this.#redis.set(key, '1', 'PX', milliseconds, 'NX')) === 'OK';
    } catch (cause) {
      throw new ReplayStoreError('redis cannot be asked', { cause });
    }
  }
}
