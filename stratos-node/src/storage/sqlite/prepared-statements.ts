import type { Database, Statement } from 'better-sqlite3';
import type { SqliteDatabase } from 'kysely';

/** Statements kept for one handle; the node has about fifty different ones. */
const KEPT = 100;

/**
 * A database that prepares each statement once. Preparing is an eighth of what a write costs, and
 * the same few statements come again and again.
 */
export function withPreparedStatements(database: Database): SqliteDatabase {
  const statements = new Map<string, Statement<unknown[]>>();
  return {
    close: () => {
      database.close();
    },
    prepare(sql) {
      const known = statements.get(sql);
      if (known && !known.busy) return known;
      const statement = database.prepare<unknown[]>(sql);
      if (statements.size >= KEPT) statements.clear();
      statements.set(sql, statement);
      return statement;
    },
  };
}
