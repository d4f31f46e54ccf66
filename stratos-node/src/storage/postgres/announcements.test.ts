import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../../logger.ts';
import { StreamSignal } from '../../stream/stream-signal.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/test-database.ts';
import { Announcements } from './announcements.ts';
import { PostgresSession } from './session.ts';

const NEVER_MS = 2 ** 30;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

/** A process: its signal, and how often it took over from others. */
async function openProcess(everyMs = NEVER_MS) {
  const opened = new AsyncDisposableStack();
  const signal = new StreamSignal();
  const session = opened.use(await PostgresSession.open(database.url, silentLogger));
  const taken: number[] = [];
  const takeOver = async () => {
    taken.push(taken.length);
    if (taken.length === 1) throw new Error('not yet');
  };
  const timing = { lookEveryMs: everyMs, takeOverEveryMs: everyMs };
  const options = { session, signal, logger: silentLogger, takeOver, ...timing };
  opened.use(await Announcements.open(options));
  return { signal, taken, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

it('wakes streams of other processes when one raises its signal, and its own once', async () => {
  await using one = await openProcess();
  await using two = await openProcess();
  const seen = two.signal.version;
  const woken = two.signal.changedSince(seen, {
    timeoutMs: NEVER_MS,
    signal: new AbortController().signal,
  });
  for (let times = 0; times < 100; times += 1) one.signal.raise();
  await woken;
  expect(one.signal.version).toBe(100);
  two.signal.raise();
  const before = one.signal.version;
  await one.signal.changedSince(before, {
    timeoutMs: NEVER_MS,
    signal: new AbortController().signal,
  });
  expect(one.signal.version).toBeGreaterThan(100);
});

it('looks by itself now and then, and takes over, though it failed before', async () => {
  await using process = await openProcess(5);
  while (process.signal.version < 2 || process.taken.length < 2) await sleep(5);
});
