import fc from 'fast-check';
import { expect, it } from 'vitest';
import { byteRange } from './byte-range.ts';

const size = fc.integer({ min: 1, max: 10_000 });
const position = fc.integer({ min: 0, max: 20_000 });

it('takes whatever part is asked for, as far as there is one', () => {
  fc.assert(
    fc.property(size, position, fc.option(position), (size, first, last) => {
      const all = Array.from({ length: size }, (_, index) => index);
      const wanted = all.filter((index) => index >= first && (last === null || index <= last));
      const range = byteRange(`bytes=${first}-${last ?? ''}`, size);
      if (last !== null && last < first) expect(range).toBeUndefined();
      else if (wanted.length === 0) expect(range).toBe('unsatisfiable');
      else expect(range).toEqual({ first: wanted.at(0), last: wanted.at(-1) });
    }),
  );
});

it('takes the end, of whatever length', () => {
  fc.assert(
    fc.property(size, position, (size, length) => {
      const range = byteRange(`bytes=-${length}`, size);
      if (length === 0) expect(range).toBe('unsatisfiable');
      else expect(range).toEqual({ first: Math.max(0, size - length), last: size - 1 });
    }),
  );
});

it('never gives a part that is not within the blob', () => {
  fc.assert(
    fc.property(size, fc.string(), (size, text) => {
      for (const header of [text, `bytes=${text}`]) {
        const range = byteRange(header, size);
        if (typeof range !== 'object') continue;
        expect(range.first).toBeGreaterThanOrEqual(0);
        expect(range.first).toBeLessThanOrEqual(range.last);
        expect(range.last).toBeLessThan(size);
      }
    }),
  );
});

it.each([
  undefined,
  '',
  'bytes=',
  'bytes=-',
  'bytes=a-b',
  'bytes=5-2',
  'bytes=0-1,3-4',
  'seconds=0-1',
  'bytes 0-1',
])('gives all for %j', (header) => {
  expect(byteRange(header, 10)).toBeUndefined();
});
