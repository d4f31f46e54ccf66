import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationList } from '@prisma/schema-engine-wasm';

export const MIGRATIONS_FOLDER = join(import.meta.dirname, '../../migrations');
export const SCHEMA_FILE = join(import.meta.dirname, '../../schema.prisma');

/** Names of the migrations in the order in which they apply. */
export async function migrationNames(): Promise<string[]> {
  const entries = await readdir(MIGRATIONS_FOLDER, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Everything in the migrations folder, in the form that Prisma's engine takes. */
export async function readMigrations(): Promise<MigrationList> {
  const names = await migrationNames();
  const lockfile = await readFile(join(MIGRATIONS_FOLDER, 'migration_lock.toml'), 'utf8');
  return {
    baseDir: MIGRATIONS_FOLDER,
    lockfile: { path: 'migration_lock.toml', content: lockfile },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(names.map(readMigration)),
  };
}

async function readMigration(name: string) {
  const value = await readFile(join(MIGRATIONS_FOLDER, name, 'migration.sql'), 'utf8');
  return {
    path: name,
    migrationFile: { path: 'migration.sql', content: { tag: 'ok', value } },
  } as const;
}
