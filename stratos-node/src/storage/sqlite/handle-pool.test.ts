import { expect, it } from 'vitest';
import { HandlePool } from './handle-pool.ts';

function countedPool(max: number) {
  const open = new Set<string>();
  const pool = new HandlePool<string, string>(max, {
    open: async (key) => {
      expect(open.has(key)).toBe(false);
      open.add(key);
      return key;
    },
    close: async (key) => {
      open.delete(key);
    },
  });
  return { pool, open };
}

it('keeps the most recently used handles open, and no more', async () => {
  const { pool, open } = countedPool(2);
  for (const key of ['a', 'b', 'a', 'c']) await pool.use(key, async () => undefined);
  await new Promise(setImmediate);
  expect([...open].sort()).toEqual(['a', 'c']);
});

it('never closes a handle that is in use', async () => {
  const { pool, open } = countedPool(1);
  await pool.use('a', async () => {
    await pool.use('b', async () => undefined);
    await new Promise(setImmediate);
    expect(open.has('a')).toBe(true);
  });
});

it('opens a handle again only after it was closed', async () => {
  const { pool, open } = countedPool(1);
  await Promise.all(
    Array.from({ length: 50 }, (_, i) => pool.use(`key${i % 3}`, async () => undefined)),
  );
  await pool[Symbol.asyncDispose]();
  expect(open.size).toBe(0);
});

it('tries again after a handle could not be opened', async () => {
  let attempts = 0;
  const pool = new HandlePool<string, number>(1, {
    open: async () => {
      attempts += 1;
      if (attempts === 1) throw new Error('disk on fire');
      return attempts;
    },
    close: async () => undefined,
  });
  await expect(pool.use('a', async (handle) => handle)).rejects.toThrow('disk on fire');
  expect(await pool.use('a', async (handle) => handle)).toBe(2);
});
