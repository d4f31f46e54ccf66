import { expect, test } from 'vitest';
import { Arrivals } from './arrivals.ts';

const room = { count: 3, bytes: 100 };

test('gives what is there, in order and no more than asked for', async () => {
  const arrivals = new Arrivals<number>(room);
  const first = arrivals.take(2);
  for (const item of [1, 2, 3]) arrivals.push(item);
  expect(await first).toEqual([1, 2]);
  expect(await arrivals.take(2)).toEqual([3]);
});

test('gives nothing beyond what is to be the last', async () => {
  const arrivals = new Arrivals<number>(room);
  for (const item of [1, 2, 3]) arrivals.push(item);
  expect(await arrivals.take(9, (item) => item === 2)).toEqual([1, 2]);
});

test('is full by number and by bytes, and says when it is no longer', async () => {
  const arrivals = new Arrivals<number>(room);
  arrivals.push(1, 99);
  expect(arrivals.isFull).toBe(false);
  arrivals.push(2, 1);
  expect(arrivals.isFull).toBe(true);
  let hasRoom = false;
  const waited = arrivals.untilRoom().then(() => {
    hasRoom = true;
  });
  await Promise.resolve();
  expect(hasRoom).toBe(false);
  await arrivals.take(1);
  await waited;
  for (const item of [3, 4]) arrivals.push(item);
  expect(arrivals.isFull).toBe(true);
});

test('gives the rest before it ends, and before the error', async () => {
  for (const error of [undefined, new Error('broken')]) {
    const arrivals = new Arrivals<number>(room);
    arrivals.push(1);
    arrivals.end(error);
    arrivals.push(2);
    expect(await arrivals.take(9)).toEqual([1]);
    if (error) await expect(arrivals.take(9)).rejects.toThrow(error);
    else expect(await arrivals.take(9)).toBeUndefined();
  }
});

test('forgets the rest when it is cleared, and lets nobody wait', async () => {
  const arrivals = new Arrivals<number>(room);
  for (const item of [1, 2, 3]) arrivals.push(item);
  const waited = arrivals.untilRoom();
  arrivals.clear();
  await waited;
  expect(await arrivals.take(9)).toBeUndefined();
});
