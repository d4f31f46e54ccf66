import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Patience } from './patience.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Chunks of so many bytes, one every ten seconds. */
async function* everyTenSeconds(bytes: number, count: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    vi.advanceTimersByTime(10_000);
    yield new Uint8Array(bytes);
  }
}

test('a node that sends takes its time', async () => {
  using patience = new Patience();
  const chunks = await Array.fromAsync(patience.with(everyTenSeconds(1_000_000, 60)));
  expect(chunks).toHaveLength(60);
  expect(patience.signal.aborted).toBe(false);
});

test('a node that sends nothing is given up', () => {
  using patience = new Patience();
  vi.advanceTimersByTime(19_999);
  expect(patience.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(patience.signal.aborted).toBe(true);
});

test('a node that sends next to nothing is given up', async () => {
  using patience = new Patience();
  const chunks = patience.with(everyTenSeconds(1, 1_000));
  await expect(Array.fromAsync(chunks)).rejects.toThrow('too slowly');
  expect(patience.signal.aborted).toBe(false);
});
