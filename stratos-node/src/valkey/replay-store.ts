import { createHash } from 'node:crypto';
import type { ReplayStore } from '@stratos/protocol';
import type { Redis } from 'ioredis';

/** Used tokens, as all processes remember them. It rejects while Valkey cannot be asked. */
export class ValkeyReplayStore implements ReplayStore {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async claim(id: string, expiresAt: Date): Promise<boolean> {
    const key = `${this.#prefix}replay:${createHash('sha256').update(id).digest('base64url')}`;
    const milliseconds = Math.max(1, expiresAt.getTime() - Date.now());
    return (await this.#redis.set(key, '1', 'PX', milliseconds, 'NX')) === 'OK';
  }
}
