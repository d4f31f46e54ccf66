import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Connection } from './connection.ts';
import { GroupCommit } from './group-commit.ts';

let connection: Connection<unknown>;
let commits: number;
let onDisk: PromiseWithResolvers<void>;
let group: GroupCommit;
beforeEach(() => {
  connection = new Connection(new SqliteDatabase(':memory:'));
  connection.prepare('CREATE TABLE thing (name TEXT UNIQUE)').run();
  commits = 0;
  onDisk = Promise.withResolvers();
  const persist = () => {
    commits += 1;
    return () => onDisk.promise;
  };
  group = new GroupCommit({ connection, persist });
});
afterEach(() => connection.db.destroy());

const add = (name: string) => connection.prepare('INSERT INTO thing VALUES (?)').run(name);
const names = () =>
  connection
    .prepare<{ name: string }>('SELECT name FROM thing ORDER BY name')
    .all()
    .map(({ name }) => name);

it('writes what is asked for in one turn at once, and gives each its own result or error', async () => {
  onDisk.resolve();
  const results = await Promise.allSettled([
    group.run(() => add('a').changes),
    group.run(() => {
      add('half of it');
      return add('a').changes;
    }),
    group.run(() => add('b').changes),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(names()).toEqual(['a', 'b']);
  expect(commits).toBe(1);
});

it('answers nobody before it is on disk', async () => {
  let isAnswered = false;
  const answer = group
    .run(() => add('a'))
    .finally(() => {
      isAnswered = true;
    });
  while (commits === 0) await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(isAnswered).toBe(false);
  onDisk.resolve();
  await answer;
});

it('writes at once what was asked for in several turns while the disk was busy', async () => {
  const first = group.run(() => add('a'));
  while (commits === 0) await new Promise(setImmediate);
  const later = ['b', 'c', 'd'].map(async (name) => {
    for (let turn = 0; turn < name.charCodeAt(0) - 97; turn += 1) await new Promise(setImmediate);
    return group.run(() => add(name));
  });
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
  expect(names()).toEqual(['a']);
  onDisk.resolve();
  await Promise.all([first, ...later]);
  expect(names()).toEqual(['a', 'b', 'c', 'd']);
  expect(commits).toBe(2);
});

it('fails those, and only those, whose group did not get to the disk', async () => {
  const failed = group.run(() => add('a'));
  while (commits === 0) await new Promise(setImmediate);
  onDisk.reject(new Error('the disk is full'));
  await expect(failed).rejects.toThrow('the disk is full');
  onDisk = Promise.withResolvers();
  onDisk.resolve();
  await group.run(() => add('b'));
});

it('is no part of another transaction that is under way', async () => {
  onDisk.resolve();
  let isAdded = false;
  const cancelled = connection.transact('IMMEDIATE', async () => {
    add('cancelled');
    void group.run(() => {
      isAdded = true;
      return add('kept');
    });
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    expect(isAdded).toBe(false);
    throw new Error('no');
  });
  await expect(cancelled).rejects.toThrow('no');
  while (!isAdded) await new Promise(setImmediate);
  expect(names()).toEqual(['kept']);
});
