import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../logger.ts';
import { RedisReplayStore } from './redis-replay-store.ts';

const logger = createLogger('silent');
const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
if (!hasRedis)
  console.warn('redis-server is not installed: the replay store is not tested with it');

const soon = () => new Date(Date.now() + 60_000);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('rejects while Redis cannot be asked', async () => {
  await using store = new RedisReplayStore(`redis://localhost:${await freePort()}`, logger);
  await expect(store.claim('a', soon())).rejects.toThrow();
});

describe.skipIf(!hasRedis)('with Redis', () => {
  let redis: ChildProcess;
  let url: string;
  beforeAll(async () => {
    const port = await freePort();
    url = `redis://localhost:${port}`;
    redis = spawn('redis-server', ['--port', String(port), '--save', '', '--appendonly', 'no']);
    await new Promise<void>((resolve) => {
      redis.stdout?.on('data', (text) => String(text).includes('Ready to accept') && resolve());
    });
  });
  afterAll(() => {
    redis.kill();
  });

  async function ready(store: RedisReplayStore): Promise<void> {
    while (!(await store.claim(randomUUID(), soon()).catch(() => false))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  test('grants one claim among many, from several gateways', async () => {
    await using one = new RedisReplayStore(url, logger);
    await using two = new RedisReplayStore(url, logger);
    await Promise.all([ready(one), ready(two)]);
    const claims = Array.from({ length: 50 }, (_, i) => (i % 2 ? one : two).claim('same', soon()));
    expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
  });
});
