import { type Kysely, sql, type Transaction } from 'kysely';

/** A statement (several, for Postgres), or work on what is stored that SQL cannot do. */
type MigrationPart = string | ((tx: Transaction<unknown>) => Promise<void>);

/** One step of a schema; its version is its place in the list, from 1. */
export type Migration = readonly MigrationPart[];

/** A database written by a newer version of the node. */
export class SchemaTooNewError extends Error {
  override name = 'SchemaTooNewError';
}

export interface MigrateOptions {
  /** Holds up other processes that migrate the same database until the transaction ends. */
  lock?: (tx: Transaction<unknown>) => Promise<void>;
}

/** Applies the steps that a database does not have yet: all of them, or none. */
export async function migrate<Tables>(
  db: Kysely<Tables>,
  migrations: readonly Migration[],
  { lock }: MigrateOptions = {},
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await lock?.(tx as Transaction<unknown>);
    await migrateWithin(tx as Transaction<unknown>, migrations);
  });
}

/** The same as part of a transaction, which must be the only one that migrates. */
export async function migrateWithin(
  tx: Transaction<unknown>,
  migrations: readonly Migration[],
): Promise<void> {
  await sql`CREATE TABLE IF NOT EXISTS stratos_migration (
    version INTEGER PRIMARY KEY, "appliedAt" TEXT NOT NULL)`.execute(tx);
  const { rows } = await sql<{ version: number | null }>`
    SELECT max(version) AS version FROM stratos_migration`.execute(tx);
  const current = rows[0]?.version ?? 0;
  checkVersion(current, migrations);
  for (const [index, parts] of migrations.entries()) {
    const version = index + 1;
    if (version <= current) continue;
    for (const part of parts) {
      if (typeof part === 'string') await sql.raw(part).execute(tx);
      else await part(tx);
    }
    const now = new Date().toISOString();
    await sql`INSERT INTO stratos_migration (version, "appliedAt")
      VALUES (${version}, ${now})`.execute(tx);
  }
}

/** Throws {@link SchemaTooNewError} for a schema that has more steps than are known. */
export function checkVersion(current: number, migrations: readonly Migration[]): void {
  if (current <= migrations.length) return;
  throw new SchemaTooNewError(
    `the database has schema ${current}, this node knows ${migrations.length}`,
  );
}
