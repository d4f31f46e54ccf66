import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { NODE_DID, TestPerson } from '../../testing/test-node.ts';
import { SqliteActorStorage } from './actor-storage.ts';
import { WalSync } from './wal-sync.ts';

const { did } = TestPerson.named('rei');

let folder: string;
let actors: SqliteActorStorage;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stratos-'));
  actors = new SqliteActorStorage(folder, NODE_DID);
  await actors.create(did, Uint8Array.of(1));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await actors[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

it('is waited for by whoever writes, and by nobody who reads', async () => {
  const { promise: onDisk, resolve } = Promise.withResolvers<void>();
  const sync = vi.spyOn(WalSync.prototype, 'sync').mockReturnValueOnce(onDisk);
  let isWritten = false;
  const written = actors
    .write(did, (actor) => actor.replaceSigningKey(Uint8Array.of(2)))
    .finally(() => {
      isWritten = true;
    });
  while (sync.mock.calls.length === 0) await new Promise(setImmediate);
  expect(await actors.read(did, (actor) => actor.signingKey())).toEqual(Buffer.of(2));
  expect(isWritten).toBe(false);
  resolve();
  await written;
  expect(sync).toHaveBeenCalledOnce();
});

it('fails the write when it fails', async () => {
  vi.spyOn(WalSync.prototype, 'sync').mockRejectedValueOnce(new Error('the disk is gone'));
  const written = actors.write(did, (actor) => actor.replaceSigningKey(Uint8Array.of(2)));
  await expect(written).rejects.toThrow('the disk is gone');
});

it('looks for the log again when there was none', async () => {
  const path = join(folder, 'other.sqlite');
  await using wal = new WalSync(path);
  await expect(wal.sync()).rejects.toThrow('ENOENT');
  await writeFile(`${path}-wal`, '');
  await wal.sync();
});
