import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { TestPerson } from '../../testing/test-node.ts';
import type { ServiceStorage } from '../service-storage.ts';
import { openServiceStorage } from './service-storage.ts';
import { WalSync } from './wal-sync.ts';

const { did } = TestPerson.named('rei');
const commit = { did, seq: 1, time: '', stubs: [] };

let folder: string;
let service: ServiceStorage;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stratos-'));
  service = await openServiceStorage(folder);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await service[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

it('shows nothing of the stream that is not on disk', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const sync = vi.spyOn(WalSync.prototype, 'sync').mockReturnValueOnce(promise);
  const published = service.publishNext(commit);
  while (sync.mock.calls.length === 0) await new Promise(setImmediate);
  expect(await service.publications.publishedSeq(did)).toBe(1);
  const head = () => service.transact(({ events }) => events.head());
  expect([await service.events.head(), await head()]).toEqual([0, 0]);
  expect(await service.events.after(0, 10)).toEqual([]);
  resolve();
  expect(await published).toBe(true);
  expect([await service.events.head(), await head()]).toEqual([1, 1]);
  expect(await service.events.after(0, 10)).toMatchObject([{ seq: 1, did }]);
});

it('publishes a commit once, and only after the one before it', async () => {
  expect(await service.publishNext({ ...commit, seq: 2 })).toBe(false);
  expect(await service.publishNext(commit)).toBe(true);
  expect(await service.publishNext(commit)).toBe(false);
  expect(await service.publishNext({ ...commit, seq: 2 })).toBe(true);
  expect(await service.events.head()).toBe(2);
});

it('shows what a transaction added as soon as that is done, and all of it after a restart', async () => {
  await service.transact(async ({ events }) => {
    await events.append({ did, kind: 'membership', ref: 1, time: '' });
  });
  expect(await service.events.head()).toBe(1);
  await service[Symbol.asyncDispose]();
  service = await openServiceStorage(folder);
  expect(await service.events.head()).toBe(1);
});
