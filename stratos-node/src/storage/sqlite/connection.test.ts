import SqliteDatabase from 'better-sqlite3';
import { expect, it, vi } from 'vitest';
import { Connection } from './connection.ts';

it('plans a statement once, whatever its parameters are', () => {
  const database = new SqliteDatabase(':memory:');
  database.exec('CREATE TABLE a (k TEXT PRIMARY KEY, v TEXT); CREATE TABLE b (k TEXT PRIMARY KEY)');
  database.exec(`INSERT INTO a VALUES ('x', 1), ('y', 2); INSERT INTO b VALUES (1), (2)`);
  const { prepare } = new Connection(database);
  const joined = prepare('SELECT a.k FROM a JOIN b ON b.k = a.v WHERE a.k = ? LIMIT ?');
  // @NOTE the driver makes a function for the rows of each plan
  const plans = vi.spyOn(globalThis, 'Function');
  expect(['x', 'y', 'x'].map((key) => joined.all(key, 1))).toEqual([
    [{ k: 'x' }],
    [{ k: 'y' }],
    [{ k: 'x' }],
  ]);
  expect(plans).toHaveBeenCalledTimes(1);
});
