import { expect, test } from 'vitest';
import { Breaker } from './breaker.ts';

const OPTIONS = { maxReconnectMs: 30_000, maxOpenMs: 3_600_000 };

/** What is waited after connections that end so. */
function waitsAfter(breaker: Breaker, { isBroken, times }: { isBroken: boolean; times: number }) {
  return Array.from({ length: times }, () => {
    breaker.connecting();
    if (isBroken) breaker.worked(0);
    breaker.ended({ isBroken });
    return breaker.wait();
  });
}

test('a node that only cannot be reached is tried again, at most half a minute later', () => {
  const breaker = new Breaker(OPTIONS);
  const waits = waitsAfter(breaker, { isBroken: false, times: 10 });
  expect(waits.slice(0, 4)).toEqual([250, 500, 1_000, 2_000]);
  expect(waits.at(-1)).toBe(30_000);
  expect(breaker.state).toBe('closed');
  breaker.worked(0);
  expect(breaker.wait()).toBe(250);
});

test('a node that lies again and again is left alone for longer each time', () => {
  const breaker = new Breaker(OPTIONS);
  expect(waitsAfter(breaker, { isBroken: true, times: 2 })).toEqual([250, 250]);
  expect(breaker.state).toBe('closed');
  const waits = waitsAfter(breaker, { isBroken: true, times: 10 });
  expect(breaker.state).toBe('open');
  expect(waits.slice(0, 3)).toEqual([30_000, 60_000, 120_000]);
  expect(waits.at(-1)).toBe(3_600_000);
});

test('a good word before each lie mends nothing, a minute without lies does', () => {
  const breaker = new Breaker(OPTIONS);
  waitsAfter(breaker, { isBroken: true, times: 3 });
  breaker.connecting();
  breaker.worked(1_000);
  breaker.worked(60_000);
  expect(breaker.state).toBe('half-open');
  breaker.worked(61_000);
  expect(breaker.state).toBe('closed');
  expect(waitsAfter(breaker, { isBroken: true, times: 1 })).toEqual([250]);
});

test('that a node cannot be reached for once makes up for no lie', () => {
  const breaker = new Breaker(OPTIONS);
  waitsAfter(breaker, { isBroken: true, times: 3 });
  expect(waitsAfter(breaker, { isBroken: false, times: 2 })).toEqual([30_000, 30_000]);
  expect(breaker.state).toBe('open');
});
