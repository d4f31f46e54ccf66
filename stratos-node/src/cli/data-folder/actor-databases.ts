import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Did, isDid } from '@stratos/protocol';
import { actorDatabasePath } from '../../storage/sqlite/actor-storage.ts';

/** The people who have a repo in a data folder, by DID. */
export async function actorsIn(dataDir: string): Promise<Did[]> {
  const root = join(dataDir, 'actors');
  if (!existsSync(root)) return [];
  const folders = await Promise.all(
    (await readdir(root)).map((shard) => readdir(join(root, shard)).catch(() => [])),
  );
  return folders
    .flat()
    .filter(isDid)
    .filter((did) => existsSync(actorDatabasePath(dataDir, did)))
    .sort();
}
