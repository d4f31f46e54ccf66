import { expect, test } from 'vitest';
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
