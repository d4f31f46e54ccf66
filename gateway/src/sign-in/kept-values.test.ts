import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createSignInValues, MemoryKeptValues } from './kept-values.ts';

test('no number of flows ends a session', async () => {
  const { flows, sessions } = createSignInValues(undefined, 3);
  await sessions.put('mine', 'rei', 60);
  for (let i = 0; i < 10; i++) await flows.put(`state ${i}`, 'somebody', 60);
  expect(await sessions.get('mine')).toBe('rei');
  expect(await flows.get('state 0')).toBeUndefined();
  expect(await flows.get('mine')).toBeUndefined();
});

test('what is kept in memory ends in time, and is not brought back', async () => {
  const values = new MemoryKeptValues();
  await values.put('a', 'first', 60);
  await values.replace('a', 'second', 0.02);
  expect(await values.get('a')).toBe('second');
  await sleep(40);
  expect(await values.get('a')).toBeUndefined();
  await values.replace('a', 'third', 60);
  expect(await values.get('a')).toBeUndefined();
});
