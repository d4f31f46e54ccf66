import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../logger.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/test-database.ts';
import { PostgresSession, SessionLostError } from './session.ts';

let database: TestDatabase;
let url: string;
let number = 0;
let name = '';
beforeAll(async () => {
  database = await createTestDatabase();
  ({ url } = database);
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(() => {
  number += 1;
  name = `lock ${number}`;
});

const open = () => PostgresSession.open(url, silentLogger);

/** Ends every connection of a session, as a server that restarts does. */
async function cutAll(): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'stratos-node' AND datname = current_database()`);
  await client.end();
}

async function connected(session: PostgresSession): Promise<void> {
  for (;;) {
    const lock = await session.tryLock(`connected ${session.processId}`).catch(() => undefined);
    await lock?.[Symbol.asyncDispose]();
    if (lock) return;
    await sleep(10);
  }
}

it('gives a lock to one, of all sessions and of all tasks of a session', async () => {
  await using one = await open();
  await using two = await open();
  {
    await using lock = await one.tryLock(name);
    expect(lock).toBeDefined();
    expect(await two.tryLock(name)).toBeUndefined();
    expect(await one.tryLock(name)).toBeUndefined();
    expect(await two.lock(name, 30)).toBeUndefined();
    await using other = await two.tryLock(`${name} of others`);
    expect(other).toBeDefined();
  }
  await using lock = await two.tryLock(name);
  expect(lock).toBeDefined();
});

it('waits for a lock, and gets it when it is free', async () => {
  await using one = await open();
  await using two = await open();
  const held = await one.tryLock(name);
  const waiting = two.lock(name, 10_000);
  await held?.[Symbol.asyncDispose]();
  await using lock = await waiting;
  expect(lock).toBeDefined();
});

it('holds at most one among many who keep trying', async () => {
  await using one = await open();
  await using two = await open();
  let inside = 0;
  await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      await using lock = await (index % 2 ? one : two).lock(name, 20_000);
      expect(lock).toBeDefined();
      inside += 1;
      expect(inside).toBe(1);
      await sleep(1);
      inside -= 1;
    }),
  );
});

it('gives up its locks and its life with its connection, and takes life up again', async () => {
  await using one = await open();
  await using two = await open();
  expect(await two.isAlive(one.processId)).toBe(true);
  expect(await one.isAlive(one.processId)).toBe(true);
  expect(await two.isAlive('nobody')).toBe(false);
  const reconnected = Promise.withResolvers<void>();
  one.onReconnect(async () => reconnected.resolve());
  const lost = await one.tryLock(name);
  await cutAll();
  await Promise.all([reconnected.promise, connected(two)]);
  expect(await two.isAlive(one.processId)).toBe(true);
  await using taken = await two.tryLock(name);
  expect(taken).toBeDefined();
  await lost?.[Symbol.asyncDispose]();
  expect(await one.tryLock(name)).toBeUndefined();
});

it('is dead to others once it is closed', async () => {
  await using one = await open();
  const two = await open();
  await two[Symbol.asyncDispose]();
  expect(await one.isAlive(two.processId)).toBe(false);
  await expect(two.tryLock(name)).rejects.toThrow(SessionLostError);
});

it('hears what others tell, after a lost connection as well', async () => {
  await using one = await open();
  await using two = await open();
  const heard: string[] = [];
  await one.listen('channel', (payload) => heard.push(payload));
  await two.notify('channel', 'first');
  while (heard.length === 0) await sleep(5);
  await cutAll();
  await Promise.all([connected(one), connected(two)]);
  await two.notify('channel', 'second');
  while (!heard.includes('second')) await sleep(5);
  expect(heard).toEqual(['first', 'second']);
});
