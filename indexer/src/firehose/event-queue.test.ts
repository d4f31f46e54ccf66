import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { EventQueue, type EventQueueOptions } from './event-queue.ts';

function createQueue(options: Partial<EventQueueOptions> = {}) {
  const summedUp: string[] = [];
  const queue = new EventQueue({
    startCursor: 0,
    concurrency: 4,
    maxWaiting: 1_000,
    maxWaitingBytes: 1_000_000,
    maxRetryMs: 1,
    sumUp: async (did) => void summedUp.push(did),
    onRetry: () => {},
    ...options,
  });
  const add = (did: string, seq: number, settle = async () => {}, size = 1) =>
    queue.add({ did, seq, size, settle });
  return { queue, add, summedUp };
}

const isSettled = (promise: Promise<void>) =>
  Promise.race([promise.then(() => true), sleep(20).then(() => false)]);

test('tries an event again until it is settled, and moves over it only then', async () => {
  const { queue, add } = createQueue();
  let attempts = 0;
  await add('did:a:a', 1, async () => {
    expect(queue.cursor).toBe(0);
    if (++attempts < 60) throw new Error('the database is away');
  });
  await vi.waitFor(() => expect(queue.cursor).toBe(1));
  expect(attempts).toBe(60);
});

test('works on the events of one person in order, and on those of others meanwhile', async () => {
  const { queue, add } = createQueue();
  const slow = Promise.withResolvers<void>();
  const done: string[] = [];
  for (let seq = 1; seq <= 20; seq++) {
    await add('did:a:a', seq, async () => {
      if (seq === 1) await slow.promise;
      done.push(`a${seq}`);
    });
  }
  await add('did:b:b', 21, async () => void done.push('b21'));
  await vi.waitFor(() => expect(done).toEqual(['b21']));
  expect(queue.cursor).toBe(0);
  expect(queue.pending).toBe(20);
  slow.resolve();
  await vi.waitFor(() => expect(queue.cursor).toBe(21));
  expect(done.slice(1)).toEqual(Array.from({ length: 20 }, (_, i) => `a${i + 1}`));
});

test('sums up who has more than fit, and passes over nothing until that is done', async () => {
  const { queue, add, summedUp } = createQueue();
  const slow = Promise.withResolvers<void>();
  const settle = vi.fn(() => slow.promise);
  for (let seq = 1; seq <= 5_000; seq++) await add('did:a:a', seq, settle);
  expect(queue.cursor).toBe(0);
  slow.resolve();
  await vi.waitFor(() => expect(queue.cursor).toBe(5_000));
  expect(settle).toHaveBeenCalledTimes(32);
  expect(summedUp).toEqual(['did:a:a']);
});

test.each([
  ['events', { maxWaiting: 3 }, 1],
  ['bytes', { maxWaitingBytes: 300 }, 100],
])('takes nothing more while too many %s wait', async (_, options, size) => {
  const { queue, add } = createQueue(options);
  const slow = Promise.withResolvers<void>();
  expect(await isSettled(add('did:a:a', 1, () => slow.promise, size))).toBe(true);
  expect(await isSettled(add('did:b:b', 2, () => slow.promise, size))).toBe(true);
  const third = add('did:c:c', 3, () => slow.promise, size);
  expect(await isSettled(third)).toBe(false);
  slow.resolve();
  await third;
  await vi.waitFor(() => expect(queue.cursor).toBe(3));
});

test('does not settle again what comes again', async () => {
  const { queue, add } = createQueue({ startCursor: 9 });
  const settle = vi.fn(async () => {});
  await add('did:a:a', 9, settle);
  await add('did:a:a', 10, settle);
  await add('did:a:a', 10, settle);
  await vi.waitFor(() => expect(queue.cursor).toBe(10));
  expect(settle).toHaveBeenCalledTimes(1);
});

test('ends while an event fails, with others behind it, and leaves them for the next start', async () => {
  const { queue, add } = createQueue({ startCursor: 4, maxWaiting: 3 });
  const fail = () => Promise.reject(new Error('the database is away'));
  const added = [5, 6, 7].map((seq) => add('did:a:a', seq, fail));
  await sleep(5);
  await queue[Symbol.asyncDispose]();
  await Promise.all(added);
  expect(queue.cursor).toBe(4);
});
