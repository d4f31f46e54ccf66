import { expect, test } from 'vitest';
import { returnPath } from './return-to.ts';

test.each(['/', '/graphiql', '/a?b=c#d', '/a//b'])('goes back to %s', (path) => {
  expect(returnPath(path)).toBe(path);
});

test.each([
  undefined,
  '',
  'graphiql',
  'https://evil.example',
  '//evil.example',
  '/\\evil.example',
  '\\/evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/.//evil.example',
  '/..//evil.example',
  ['/a', '/b'],
  'javascript:alert(1)',
])('goes nowhere for %j', (asked) => {
  expect(returnPath(asked)).toBe('/');
});
