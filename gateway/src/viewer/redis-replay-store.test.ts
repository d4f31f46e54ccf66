import { randomUUID } from 'node:crypto';
import { ReplayStoreError } from '@stratos/protocol';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../logger.ts';
import { connectRedis } from '../redis.ts';
import { freePort, hasRedis, startRedis, type TestRedis } from '../testing/test-redis.ts';
import { RedisReplayStore } from './redis-replay-store.ts';

const logger = createLogger('silent');
if (!hasRedis)
  console.warn('redis-server is not installed: the replay store is not tested with it');

const soon = () => new Date(Date.now() + 60_000);

test('rejects while Redis cannot be asked', async () => {
  const redis = connectRedis(`redis://localhost:${await freePort()}`, logger);
  await expect(new RedisReplayStore(redis).claim('a', soon())).rejects.toThrow(ReplayStoreError);
  redis.disconnect();
});

describe.skipIf(!hasRedis)('with Redis', () => {
  let server: TestRedis;
  let connections: Redis[];
  beforeAll(async () => {
    server = await startRedis();
    connections = [connectRedis(server.url, logger), connectRedis(server.url, logger)];
  });
  afterAll(async () => {
    for (const redis of connections) redis.disconnect();
    await server[Symbol.asyncDispose]();
  });

  async function ready(store: RedisReplayStore): Promise<void> {
    while (!(await store.claim(randomUUID(), soon()).catch(() => false))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  test('grants one claim among many, from several gateways', async () => {
    const stores = connections.map((redis) => new RedisReplayStore(redis));
    await Promise.all(stores.map(ready));
    const claims = Array.from({ length: 50 }, (_, i) => stores[i % 2]?.claim('same', soon()));
    expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
  });
});
