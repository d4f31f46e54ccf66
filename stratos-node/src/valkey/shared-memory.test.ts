import { toDid } from '@stratos/protocol';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AllowList } from '../enrollment/allow-list.ts';
import { silentLogger } from '../logger.ts';
import { testConfig } from '../testing/test-node.ts';
import { freePort, hasValkey, startValkey, type TestValkey } from '../testing/test-valkey.ts';
import { openSharedMemory, type SharedMemory } from './shared-memory.ts';

const rei = toDid('did:plc:reiaaaaaaaaaaaaaaaaaaaaa');
const sakura = toDid('did:plc:sakuraaaaaaaaaaaaaaaaaaa');
const soon = () => new Date(Date.now() + 60_000);

async function open(url: string, env: Record<string, string> = {}): Promise<SharedMemory> {
  const config = testConfig('/nowhere', { STRATOS_VALKEY_URL: url, ...env });
  const memory = await openSharedMemory(config, silentLogger);
  if (!memory) throw new Error('no shared memory is configured');
  return memory;
}

describe('while Valkey is away', () => {
  it('takes no token, counts writes alone, and lets nobody in', async () => {
    await using memory = await open(`redis://127.0.0.1:${await freePort()}`, {
      STRATOS_WRITE_RATE_MAX_WRITES: '2',
    });
    await expect(memory.replay.claim('a', soon())).rejects.toThrow();
    await expect(memory.rates.add('a', 1, 1_000)).rejects.toThrow();
    await memory.writes.take(rei, 2);
    await expect(memory.writes.take(rei)).rejects.toMatchObject({ code: 'RateLimitExceeded' });
    await memory.writes.take(sakura);
    await using list = new AllowList({
      uri: undefined,
      fetch: globalThis.fetch,
      shared: memory.allowList,
      logger: silentLogger,
    });
    expect(await list.has(rei)).toBe(false);
  });
});

describe.skipIf(!hasValkey)('processes that share a Valkey', () => {
  let valkey: TestValkey;
  let redis: Redis;
  beforeAll(async () => {
    valkey = await startValkey();
    redis = new Redis(valkey.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await valkey[Symbol.asyncDispose]();
  });

  it('take a token once', async () => {
    await using one = await open(valkey.url);
    await using two = await open(valkey.url);
    const claims = Array.from({ length: 50 }, (_, i) =>
      (i % 2 ? one : two).replay.claim('same', soon()),
    );
    expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
    await using other = await open(valkey.url, {
      STRATOS_SERVICE_DID: 'did:web:other.example.com',
    });
    expect(await other.replay.claim('same', soon())).toBe(true);
  });

  it('count writes of a person together, in a window that slides, with a cooldown', async () => {
    const env = {
      STRATOS_WRITE_RATE_MAX_WRITES: '3',
      STRATOS_WRITE_RATE_WINDOW_MS: '60000',
      STRATOS_WRITE_RATE_COOLDOWN_MS: '20000',
      STRATOS_WRITE_RATE_COOLDOWN_JITTER_MS: '0',
    };
    await using one = await open(valkey.url, env);
    await using two = await open(valkey.url, env);
    await one.writes.take(rei, 2);
    await two.writes.take(rei);
    await two.writes.take(sakura, 3);
    for (const { writes } of [one, two]) {
      await expect(writes.take(rei)).rejects.toMatchObject({
        code: 'RateLimitExceeded',
        headers: { 'Retry-After': '20' },
      });
    }
    const [key = ''] = await redis.keys(`*writes:{${rei}}`);
    expect(await redis.pttl(key)).toBeGreaterThan(0);
    await redis.del(`${key}:cooldown`);
    await redis.zadd(key, '1', (await redis.zrange(key, '0', '0'))[0] ?? '');
    await one.writes.take(rei);
    await expect(one.writes.take(rei)).rejects.toMatchObject({ code: 'RateLimitExceeded' });
  });

  it('count requests together until the window ends', async () => {
    await using one = await open(valkey.url);
    await using two = await open(valkey.url);
    expect(await one.rates.add('address', 0, 60_000)).toMatchObject({ count: 0 });
    await one.rates.add('address', 2, 60_000);
    const { count, resetMs } = await two.rates.add('address', 1, 60_000);
    expect(count).toBe(3);
    expect(resetMs).toBeGreaterThan(0);
    expect(resetMs).toBeLessThanOrEqual(60_000);
  });

  it('know people whom the operator put there, and those of the last list that was read', async () => {
    await using one = await open(valkey.url);
    await using two = await open(valkey.url);
    const openList = ({ allowList: shared }: SharedMemory, answer: () => Response) =>
      new AllowList({
        uri: 'https://example.com/list.txt',
        fetch: async () => answer(),
        shared,
        logger: silentLogger,
      });
    let text = `${rei}\n`;
    await using reader = openList(one, () => new Response(text));
    expect(await reader.has(rei)).toBe(true);
    await using late = openList(two, () => new Response('gone', { status: 500 }));
    expect(await late.has(rei)).toBe(true);
    expect(await late.has(sakura)).toBe(false);
    await redis.sadd('stratos:allow-list', sakura);
    expect([await reader.has(sakura), await late.has(sakura)]).toEqual([true, true]);
    text = `${toDid('did:plc:kaworuaaaaaaaaaaaaaaaaaa')}\n`;
    await reader.refresh();
    expect([await reader.has(rei), await late.has(rei)]).toEqual([false, false]);
    expect(await reader.has(sakura)).toBe(true);
  });
});
