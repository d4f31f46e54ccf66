import { expect, test, vi } from 'vitest';
import { MemoryReplayStore, ReplayStoreError } from './replay-store.ts';

const soon = () => new Date(Date.now() + 60_000);

test('grants each claim once', async () => {
  const store = new MemoryReplayStore();
  expect(await store.claim('a', soon())).toBe(true);
  expect(await store.claim('a', soon())).toBe(false);
});

test('refuses what it has no room for, and forgets nothing for it', async () => {
  const store = new MemoryReplayStore(2);
  for (const id of ['a', 'b']) expect(await store.claim(id, soon())).toBe(true);
  await expect(store.claim('c', soon())).rejects.toThrow(ReplayStoreError);
  expect(await store.claim('a', soon())).toBe(false);
});

test('forgets what can be used no more, and nothing else', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const store = new MemoryReplayStore(2);
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000);
  const late = inSeconds(60);
  expect(await store.claim('early', inSeconds(20))).toBe(true);
  expect(await store.claim('late', late)).toBe(true);
  vi.advanceTimersByTime(30_000);
  expect(await store.claim('new', late)).toBe(true);
  expect(await store.claim('late', late)).toBe(false);
  vi.useRealTimers();
});
