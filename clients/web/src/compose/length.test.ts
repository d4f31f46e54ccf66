import { expect, test } from 'vitest';
import { graphemesOf, isTooLong } from './length.ts';

test('counts what a reader sees', () => {
  expect(graphemesOf('👩‍👩‍👧‍👦 e\u0301')).toBe(3);
});

test('ends at 300 graphemes and at 3,000 bytes', () => {
  expect([isTooLong('é'.repeat(300)), isTooLong('é'.repeat(301))]).toEqual([false, true]);
  expect([isTooLong('👩‍👩‍👧‍👦'.repeat(120)), isTooLong('👩‍👩‍👧‍👦'.repeat(121))]).toEqual([
    false,
    true,
  ]);
});
