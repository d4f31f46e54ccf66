import { expect, test } from 'vitest';
import { pageInput } from './page-input.ts';

test('a limit and a cursor are of the direction, and without a limit a page is of 50', () => {
  expect(pageInput({})).toEqual({ first: 50, after: undefined });
  expect(pageInput({ limit: 2, cursor: 'c' })).toEqual({ first: 2, after: 'c' });
  expect(pageInput({ cursor: null, direction: 'backward' })).toEqual({ last: 50 });
  expect(pageInput({ limit: 2, cursor: 'c', direction: 'backward' })).toEqual({
    last: 2,
    before: 'c',
  });
});
