import { expect, test } from 'vitest';
import { Rates } from './rates.ts';

const at = (position: number) => new Map([['node', position]]);

test('tells positions per second over the last minute', () => {
  const rates = new Rates();
  expect(rates.of('node')).toBe(0);
  rates.sample(at(1_000), 0);
  expect(rates.of('node')).toBe(0);
  rates.sample(at(1_100), 10_000);
  expect(rates.of('node')).toBe(10);
  for (let s = 20; s <= 120; s += 10) rates.sample(at(1_100 + s), s * 1000);
  expect(rates.of('node')).toBe(1);
});

test('does not go backwards with a node that begins anew, and forgets one that is gone', () => {
  const rates = new Rates();
  rates.sample(at(1_000), 0);
  rates.sample(at(10), 1_000);
  expect(rates.of('node')).toBe(0);
  rates.sample(new Map(), 2_000);
  rates.sample(at(500), 3_000);
  expect(rates.of('node')).toBe(0);
});
