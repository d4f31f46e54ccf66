import { Redis } from 'ioredis';
import type { Logger } from './logger.ts';

/** A connection to what gateways share. While Redis is away, everything that is asked is rejected at once. */
export function connectRedis(url: string, logger: Logger): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 1000,
    connectTimeout: 2000,
  });
  redis.on('error', (error: Error) => logger.warn({ reason: error.name }, 'redis failed'));
  return redis;
}
