import { existsSync } from 'node:fs';
import { type Cid, type Did, isDid } from '@stratos/protocol';
import { CliError } from '@stratos/protocol/cli';
import SqliteDatabase from 'better-sqlite3';
import { actorDatabasePath } from '../../storage/sqlite/actor-storage.ts';
import { CarWriter } from '../../transfer/car-writer.ts';

interface BlockRow {
  cid: Cid;
  content: Uint8Array;
}

/**
 * Somebody's repo as a CAR, as it is at one moment: the newest commit, then everything else.
 *
 * @throws {@link CliError} if there is none
 */
export function* exportActor(dataDir: string, did: string): Generator<Uint8Array> {
  const path = isDid(did) ? actorDatabasePath(dataDir, did) : '';
  if (!existsSync(path)) throw new CliError(`there is no repo of ${did}`);
  const database = new SqliteDatabase(path, { readonly: true });
  try {
    database.exec('BEGIN');
    const root = database
      .prepare<[Did], Cid>('SELECT cid FROM stratos_repo_root WHERE did = ?')
      .pluck()
      .get(did as Did);
    if (!root) throw new CliError(`the repo of ${did} is empty`);
    const car = new CarWriter(root);
    const blocks = database.prepare<[Cid], BlockRow>(
      'SELECT cid, content FROM stratos_block ORDER BY cid != ?, repoRev, cid',
    );
    for (const { cid, content } of blocks.iterate(root)) {
      car.add(cid, content);
      yield* car.takeFull();
    }
    yield car.takeRest();
  } finally {
    database.close();
  }
}
