import { toAtUri } from '@stratos/protocol';
import { describe, expect, test } from 'vitest';
import { checkPage, checkText, checkThread, checkUris } from './check-input.ts';

const uri = toAtUri('at://did:plc:bob/zone.stratos.feed.post/3kabcdefghij2');
const refused = expect.objectContaining({ code: 'BAD_USER_INPUT' });

test('a page is of so many from one of two ends, or beside a cursor', () => {
  expect(checkPage({})).toEqual({ size: 50, cursor: undefined, reverse: false });
  expect(checkPage({ first: 2, after: 'c' })).toEqual({ size: 2, cursor: 'c', reverse: false });
  expect(checkPage({ after: 'c' })).toEqual({ size: 50, cursor: 'c', reverse: false });
  expect(checkPage({ last: 2 })).toEqual({ size: 2, cursor: undefined, reverse: true });
  expect(checkPage({ last: 2, before: 'c' })).toEqual({ size: 2, cursor: 'c', reverse: true });
});

describe('a page is refused', () => {
  test.each([
    [{ first: 1, last: 1 }, 'first and last exclude each other'],
    [{ last: 1, after: 'c' }, 'after goes with first'],
    [{ before: 'c' }, 'before needs last'],
    [{ first: 1, before: 'c' }, 'before needs last'],
    [{ first: 0 }, 'first must be 1 to 100'],
    [{ first: 101 }, 'first must be 1 to 100'],
    [{ first: 1.5 }, 'first must be 1 to 100'],
    [{ last: 0 }, 'last must be 1 to 100'],
    [{ last: 101 }, 'last must be 1 to 100'],
  ])('%o', (input, message) => {
    expect(() => checkPage(input)).toThrow(refused);
    expect(() => checkPage(input)).toThrow(message);
  });
});

test('what is searched for is counted as people count', () => {
  const family = '👨‍👩‍👧‍👦';
  expect(checkText(family.repeat(256))).toHaveLength(256 * family.length);
  expect(() => checkText(family.repeat(257))).toThrow(refused);
  expect(() => checkText(`a${'\u0301'.repeat(10_000)}`)).toThrow(refused);
});

test('addresses and threads have limits', () => {
  expect(checkUris(Array(25).fill(uri))).toHaveLength(25);
  expect(() => checkUris(Array(26).fill(uri))).toThrow(refused);
  expect(checkThread({ uri })).toEqual({ uri, height: 10, depth: 3, limit: 10 });
  for (const wrong of [{ height: 11 }, { height: -1 }, { depth: 11 }, { limit: 0 }, { limit: 101 }])
    expect(() => checkThread({ uri, ...wrong })).toThrow(refused);
});
