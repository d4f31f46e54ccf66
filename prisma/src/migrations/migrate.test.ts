import { readFile } from 'node:fs/promises';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../testing/index.ts';
import { migrate } from './migrate.ts';
import { migrationNames, SCHEMA_FILE } from './migration-files.ts';
import { openSchemaEngine } from './schema-engine.ts';
import { pendingChange } from './write-migration.ts';

test('migrates once, also when two start together', async () => {
  await using database = await createTestDatabase({ empty: true });
  const runs = await Promise.all([migrate(database.url), migrate(database.url)]);
  expect(runs.flat()).toEqual(await migrationNames());
  expect(await migrate(database.url)).toEqual([]);
  const history = await query(database.url, 'select migration_name from _prisma_migrations');
  expect(history.map((row) => row['migration_name'])).toEqual(await migrationNames());
});

test('schema.prisma has no change without a migration', async () => {
  await using database = await createTestDatabase({ empty: true });
  expect(await pendingChange(database.url)).toBe('');
});

test('the migrations lead to exactly what schema.prisma says', async () => {
  await using migrated = await createTestDatabase({ empty: true });
  await using pushed = await createTestDatabase({ empty: true });
  await migrate(migrated.url);
  await using engine = await openSchemaEngine(pushed.url);
  await query(pushed.url, await engine.diff(undefined, await readFile(SCHEMA_FILE, 'utf8')));

  expect(await shape(migrated.url)).toEqual(await shape(pushed.url));
});

async function shape(url: string): Promise<unknown[]> {
  const columns = await query(
    url,
    `select table_name, column_name, data_type, is_nullable, column_default, datetime_precision
     from information_schema.columns where table_schema = 'public' and table_name <> '_prisma_migrations'
     order by 1, 2`,
  );
  // How an index is stored is more than schema.prisma can say.
  const indexes = await query(
    url,
    `select regexp_replace(indexdef, ' WITH \\(.*\\)', '') as indexdef from pg_indexes where schemaname = 'public' and tablename <> '_prisma_migrations' order by 1`,
  );
  const keys = await query(
    url,
    `select conname, pg_get_constraintdef(oid) as definition from pg_constraint
     where contype in ('p', 'f', 'u') and connamespace = 'public'::regnamespace
       and conrelid::regclass::text <> '_prisma_migrations' order by 1`,
  );
  expect(columns.length).toBeGreaterThan(50);
  return [...columns, ...indexes, ...keys];
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
