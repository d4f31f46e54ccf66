import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { type Migration, migrate } from '../sql/migrate.ts';
import { Connection } from './connection.ts';

export interface DatabaseOptions {
  /** Memory for pages. */
  pageCacheKib?: number;
  /** Pages of the log at which it is brought into the database, while everybody waits. */
  checkpointPages?: number;
  /** Whether a commit is on disk when it returns, or when {@link Connection.persist} does after it. */
  synchronous?: 'FULL' | 'NORMAL';
}

/**
 * Opens an SQLite database that only the service's own user can read, made if there is none and
 * brought to the newest version, with a write-ahead log.
 */
export async function openDatabase<Tables>(
  path: string,
  migrations: readonly Migration[],
  { pageCacheKib = 2_000, checkpointPages = 1_000, synchronous = 'FULL' }: DatabaseOptions = {},
): Promise<Connection<Tables>> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
  const database = new SqliteDatabase(path);
  database.pragma('journal_mode = WAL');
  database.pragma(`synchronous = ${synchronous}`);
  database.pragma('busy_timeout = 5000');
  database.pragma('secure_delete = ON');
  database.pragma(`wal_autocheckpoint = ${checkpointPages}`);
  database.pragma(`cache_size = -${pageCacheKib}`);
  const connection = new Connection<Tables>(database);
  try {
    await migrate(connection.db, migrations);
    await connection.persist();
  } catch (error) {
    await connection.close();
    throw error;
  }
  return connection;
}
