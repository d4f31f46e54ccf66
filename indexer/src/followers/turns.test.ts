import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('batches wait for all that is taken back, whether that succeeds or not', async () => {
  const turns = new Turns(1);
  const told: string[] = [];
  const [one, two] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const failing = turns.first(() => one.promise).catch(() => told.push('failed'));
  const other = turns.first(() => two.promise).then(() => told.push('taken back'));
  const batch = turns.next(async () => told.push('applied'));
  one.reject(new Error('as it should'));
  await failing;
  two.resolve();
  await Promise.all([other, batch]);
  expect(told).toEqual(['failed', 'taken back', 'applied']);
});

test('they do not wait without end', async () => {
  const turns = new Turns(1);
  void turns.first(() => Promise.withResolvers<void>().promise);
  expect(await turns.next(async () => 'applied')).toBe('applied');
  expect(await turns.next(async () => 'applied')).toBe('applied');
});

test('no more of them are applied at the same time than may be', async () => {
  const turns = new Turns(2);
  let [running, most] = [0, 0];
  const batch = () =>
    turns.next(async () => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running -= 1;
    });
  await Promise.all(Array.from({ length: 9 }, batch));
  expect(most).toBe(2);
});
