import { Redis } from 'ioredis';
import type { Logger } from '../logger.ts';

const ANSWER_WITHIN_MS = 1_000;
const CONNECT_WITHIN_MS = 2_000;

/**
 * A connection to Valkey, or Redis. While it cannot be reached everything asked of it is rejected at
 * once, and it is tried again in the background.
 */
export async function connectValkey(url: string, logger: Logger): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: ANSWER_WITHIN_MS,
    connectTimeout: CONNECT_WITHIN_MS,
  });
  redis.on('error', (error: Error) => logger.warn({ reason: error.name }, 'Valkey failed'));
  await redis.connect().catch(() => undefined);
  return redis;
}
