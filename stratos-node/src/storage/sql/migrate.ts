import { type Kysely, sql, type Transaction } from 'kysely';

/** A statement, or work on what is stored that SQL cannot do. */
type MigrationPart = string | ((tx: Transaction<unknown>) => Promise<void>);

/** One step of a schema; its version is its place in the list, from 1. */
export type Migration = readonly MigrationPart[];

/** A database written by a newer version of the node. */
export class SchemaTooNewError extends Error {
  override name = 'SchemaTooNewError';
}

/** Applies the steps that a database does not have yet, each in a transaction of its own. */
export async function migrate<Tables>(
  db: Kysely<Tables>,
  migrations: readonly Migration[],
): Promise<void> {
  await sql`CREATE TABLE IF NOT EXISTS stratos_migration (
    version INTEGER PRIMARY KEY, appliedAt TEXT NOT NULL)`.execute(db);
  const { rows } = await sql<{ version: number | null }>`
    SELECT max(version) AS version FROM stratos_migration`.execute(db);
  const current = rows[0]?.version ?? 0;
  if (current > migrations.length) {
    throw new SchemaTooNewError(
      `the database has schema ${current}, this node knows ${migrations.length}`,
    );
  }
  for (const [index, parts] of migrations.entries()) {
    const version = index + 1;
    if (version <= current) continue;
    await db.transaction().execute(async (tx) => {
      for (const part of parts) {
        if (typeof part === 'string') await sql.raw(part).execute(tx);
        else await part(tx as Transaction<unknown>);
      }
      const now = new Date().toISOString();
      await sql`INSERT INTO stratos_migration (version, appliedAt) VALUES (${version}, ${now})`.execute(
        tx,
      );
    });
  }
}
