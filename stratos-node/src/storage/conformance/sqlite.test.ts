import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLogger } from '../../logger.ts';
import { NODE_DID } from '../../testing/test-node.ts';
import { openStorage } from '../open-storage.ts';
import { SqliteActorStorage } from '../sqlite/actor-storage.ts';
import { describeStorage } from './describe-storage.ts';
import { commitOf, didOf, KEY, revOf } from './fixtures.ts';

describeStorage('SQLite', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'stratos-'));
  const config = { dataDir, serviceDid: NODE_DID, storage: { backend: 'sqlite' as const } };
  return {
    open: () => openStorage(config, silentLogger),
    [Symbol.asyncDispose]: () => rm(dataDir, { recursive: true }),
  };
});

it('has few databases of SQLite open, however many actors there are', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'stratos-'));
  const commit = commitOf([{ rkey: 'a', text: 'hello' }], { rev: revOf(1) });
  {
    await using storage = new SqliteActorStorage(dataDir, NODE_DID, 5);
    const dids = Array.from({ length: 40 }, (_, i) => didOf(`crowd${i}`));
    for (const did of dids) {
      await storage.create(did, KEY);
      await storage.write(did, (actor) => actor.applyCommit(commit));
      expect(storage.openDatabases).toBeLessThanOrEqual(5);
    }
    for (const did of dids) {
      expect(await storage.read(did, (actor) => actor.root())).toEqual(commit.root);
    }
    expect(storage.openDatabases).toBeLessThanOrEqual(5);
  }
  await rm(dataDir, { recursive: true });
});
