import SqliteDatabase from 'better-sqlite3';
import { expect, it } from 'vitest';
import { withPreparedStatements } from './prepared-statements.ts';

const INSERT = 'insert into t values (?)';
const COUNT = 'select count(*) as n from t';

it('prepares a statement once, and it stays right when the tables change', () => {
  const database = new SqliteDatabase(':memory:');
  const prepared = withPreparedStatements(database);
  database.exec('create table t (a)');
  expect(prepared.prepare(INSERT)).toBe(prepared.prepare(INSERT));
  prepared.prepare(INSERT).run([1]);
  expect(prepared.prepare('select * from t').all([])).toEqual([{ a: 1 }]);
  database.exec('alter table t add column b default 2');
  expect(prepared.prepare('select * from t').all([])).toEqual([{ a: 1, b: 2 }]);
  prepared.close();
});

it('gives another one to whoever asks while the first is being read', () => {
  const prepared = withPreparedStatements(new SqliteDatabase(':memory:'));
  const numbers = 'select value from json_each(?)';
  const outer: unknown[] = [];
  for (const row of prepared.prepare(numbers).iterate(['[1,2]'])) {
    outer.push([row, prepared.prepare(numbers).all(['[3]'])]);
  }
  expect(outer).toEqual([
    [{ value: 1 }, [{ value: 3 }]],
    [{ value: 2 }, [{ value: 3 }]],
  ]);
  prepared.close();
});

it('keeps only so many', () => {
  const prepared = withPreparedStatements(new SqliteDatabase(':memory:'));
  const first = prepared.prepare('select 0');
  for (let i = 1; i <= 100; i++) prepared.prepare(`select ${i}`);
  expect(prepared.prepare('select 0')).not.toBe(first);
  prepared.close();
});

it('tells of an error of SQL as the driver does', () => {
  const prepared = withPreparedStatements(new SqliteDatabase(':memory:'));
  expect(() => prepared.prepare(COUNT)).toThrow('no such table');
  prepared.close();
});
