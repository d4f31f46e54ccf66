import { expect, it } from 'vitest';
import { MemoryRateCounter, withFallback } from './rate-counter.ts';

it('counts within a window that begins with the first', async () => {
  let now = 1_000;
  const counter = new MemoryRateCounter(() => now);
  expect(await counter.add('a', 0, 100)).toEqual({ count: 0, resetMs: 100 });
  expect(await counter.add('a', 1, 100)).toEqual({ count: 1, resetMs: 100 });
  now += 60;
  expect(await counter.add('a', 2, 100)).toEqual({ count: 3, resetMs: 40 });
  expect(await counter.add('b', 1, 100)).toEqual({ count: 1, resetMs: 100 });
  now += 40;
  expect(await counter.add('a', 0, 100)).toEqual({ count: 0, resetMs: 100 });
});

it('forgets the key that was quiet for longest when there are too many', async () => {
  const counter = new MemoryRateCounter(() => 0, 3);
  for (const key of ['a', 'b', 'c', 'a', 'd']) await counter.add(key, 1, 100);
  const counts = await Promise.all(['a', 'b', 'c', 'd'].map((key) => counter.add(key, 0, 100)));
  expect(counts.map(({ count }) => count)).toEqual([2, 0, 1, 1]);
});

it('goes on counting alone while what is shared cannot be reached', async () => {
  const dead = { add: () => Promise.reject(new Error('down')) };
  const counter = withFallback(dead, new MemoryRateCounter(() => 0));
  await counter.add('a', 1, 100);
  expect(await counter.add('a', 1, 100)).toMatchObject({ count: 2 });
});
