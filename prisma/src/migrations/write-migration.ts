import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MIGRATIONS_FOLDER, migrationNames, SCHEMA_FILE } from './migration-files.ts';
import { openSchemaEngine } from './schema-engine.ts';

/** Beside each migration lies the schema that it leads to: what the next one starts from. */
const SNAPSHOT = 'schema.prisma';

/** SQL from the newest migration to schema.prisma; empty when they agree. */
export async function pendingChange(databaseUrl: string): Promise<string> {
  const newest = (await migrationNames()).at(-1);
  const from = newest && (await readFile(join(MIGRATIONS_FOLDER, newest, SNAPSHOT), 'utf8'));
  await using engine = await openSchemaEngine(databaseUrl);
  const sql = await engine.diff(from, await readFile(SCHEMA_FILE, 'utf8'));
  return sql.includes('empty migration') ? '' : sql;
}

/** Writes the next migration folder and returns its name, or undefined when nothing changed. */
export async function writeMigration(
  title: string,
  databaseUrl: string,
): Promise<string | undefined> {
  const sql = await pendingChange(databaseUrl);
  if (!sql) return undefined;
  const name = `${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}_${title}`;
  const folder = join(MIGRATIONS_FOLDER, name);
  await mkdir(folder);
  await writeFile(join(folder, 'migration.sql'), sql);
  await writeFile(join(folder, SNAPSHOT), await readFile(SCHEMA_FILE, 'utf8'));
  return name;
}
