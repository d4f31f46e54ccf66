import { createHash } from 'node:crypto';
import type { ReplayStore } from '@stratos/protocol';
import { Redis } from 'ioredis';
import type { Logger } from '../logger.ts';

/** A replay store that gateways share. It rejects while Redis cannot be asked. */
export class RedisReplayStore implements ReplayStore, AsyncDisposable {
  readonly #redis: Redis;

  constructor(url: string, logger: Logger) {
    this.#redis = new Redis(url, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: 1000,
      connectTimeout: 2000,
    });
    this.#redis.on('error', (error: Error) => logger.warn({ reason: error.name }, 'redis failed'));
  }

  async claim(id: string, expiresAt: Date): Promise<boolean> {
    const key = `stratos:replay:${createHash('sha256').update(id).digest('base64url')}`;
    const milliseconds = Math.max(1, expiresAt.getTime() - Date.now());
    return (await this.#redis.set(key, '1', 'PX', milliseconds, 'NX')) === 'OK';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.disconnect();
  }
}
