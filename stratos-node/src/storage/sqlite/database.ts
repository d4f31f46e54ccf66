import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { type Migration, migrate } from '../sql/migrate.ts';
import { withPreparedStatements } from './prepared-statements.ts';

/** Of each handle. The default of the driver is 16 MB, which many open actors would make gigabytes. */
const PAGE_CACHE_KIB = 2_000;

/**
 * Opens an SQLite database that only the service's own user can read, made if there is none and
 * brought to the newest version. What it commits is on disk (WAL, synchronous = FULL).
 */
export async function openDatabase<Tables>(
  path: string,
  migrations: readonly Migration[],
): Promise<Kysely<Tables>> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
  const database = new SqliteDatabase(path);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('busy_timeout = 5000');
  database.pragma('secure_delete = ON');
  database.pragma(`cache_size = -${PAGE_CACHE_KIB}`);
  const dialect = new SqliteDialect({ database: withPreparedStatements(database) });
  const db = new Kysely<Tables>({ dialect });
  try {
    await migrate(db, migrations);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return db;
}
