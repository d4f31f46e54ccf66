import { expect, test } from 'vitest';
import { Breaker } from './breaker.ts';

test('a node that fails three times in a row is left alone', () => {
  const breaker = new Breaker();
  for (const now of [0, 1, 2]) {
    expect(breaker.mayAsk(now)).toBe(true);
    breaker.failed(now);
  }
  expect([3, 500, 1_001].map((now) => breaker.mayAsk(now))).toEqual([false, false, false]);
});

test('one that answers in between is not', () => {
  const breaker = new Breaker();
  for (let now = 0; now < 10; now++) {
    breaker.failed(now);
    breaker.failed(now);
    breaker.worked();
    expect(breaker.mayAsk(now)).toBe(true);
  }
});

test('after a while one call may try, and the others wait for how that goes', () => {
  const breaker = new Breaker();
  for (let i = 0; i < 3; i++) breaker.failed(0);
  expect([1_000, 1_001].map((now) => breaker.mayAsk(now))).toEqual([true, false]);
  breaker.failed(1_100);
  expect([2_200, 3_100, 3_101].map((now) => breaker.mayAsk(now))).toEqual([false, true, false]);
  breaker.worked();
  expect(breaker.mayAsk(3_102)).toBe(true);
});

test('it is tried at least every half minute', () => {
  const breaker = new Breaker();
  for (let i = 0; i < 50; i++) breaker.failed(0);
  expect([29_999, 30_000].map((now) => breaker.mayAsk(now))).toEqual([false, true]);
});
