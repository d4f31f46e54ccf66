import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SchemaTooNewError } from '../sql/migrate.ts';
import { openDatabase } from './database.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stratos-'));
});
afterEach(() => rm(folder, { recursive: true }));

const FIRST = ['CREATE TABLE thing (id INTEGER PRIMARY KEY)'];
const SECOND = ['ALTER TABLE thing ADD COLUMN name TEXT'];

it('brings a database to the newest version, each step once', async () => {
  const path = join(folder, 'a.sqlite');
  await (await openDatabase(path, [FIRST])).close();
  await (await openDatabase(path, [FIRST, SECOND])).close();
  const connection = await openDatabase<{ thing: { id: number; name: string } }>(path, [
    FIRST,
    SECOND,
  ]);
  const { db } = connection;
  await db.insertInto('thing').values({ id: 1, name: 'x' }).execute();
  expect(await db.selectFrom('thing').selectAll().execute()).toEqual([{ id: 1, name: 'x' }]);
  await connection.close();
});

it('refuses a database of a newer version', async () => {
  const path = join(folder, 'a.sqlite');
  await (await openDatabase(path, [FIRST, SECOND])).close();
  await expect(openDatabase(path, [FIRST])).rejects.toThrow(SchemaTooNewError);
});

it('leaves nothing of a step that fails', async () => {
  const path = join(folder, 'a.sqlite');
  await expect(openDatabase(path, [[...FIRST, 'nonsense']])).rejects.toThrow();
  await (await openDatabase(path, [FIRST])).close();
});

it('keeps others from reading, and commits to disk', async () => {
  const path = join(folder, 'deep', 'a.sqlite');
  const connection = await openDatabase(path, [FIRST]);
  const { db } = connection;
  expect((await stat(path)).mode & 0o077).toBe(0);
  const pragma = async (name: string) =>
    Object.values((await sql.raw(`PRAGMA ${name}`).execute(db)).rows[0] ?? {})[0];
  expect(await pragma('journal_mode')).toBe('wal');
  expect(await pragma('synchronous')).toBe(2);
  await connection.close();
});
