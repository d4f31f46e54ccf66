import { expect, test } from 'vitest';
import { briefTime } from './time.ts';

const NOW = Date.parse('2026-03-10T12:00:00Z');

test.each([
  ['2026-03-10T11:59:30Z', 'now'],
  ['2026-03-10T11:58:30Z', '1m'],
  ['2026-03-10T07:30:00Z', '4h'],
  ['2026-03-07T11:00:00Z', '3d'],
  ['2026-03-10T12:05:00Z', 'now'],
])('%s is %s', (iso, brief) => {
  expect(briefTime(iso, NOW)).toBe(brief);
});

test('more than a week ago is a day', () => {
  expect(briefTime('2026-01-02T12:00:00Z', NOW)).toMatch(/2/);
});
