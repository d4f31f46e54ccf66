import { encode } from '@atproto/lex-cbor';
import { parseCid } from '@atproto/lex-data';
import { lexToJson } from '@atproto/lex-json';
import { expect, test } from 'vitest';
import { decode, toJson } from './dag-cbor.ts';
import { FlawError } from './flaw.ts';

const cid = parseCid('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku');

test('reads what is written, as the JSON of AT Protocol', () => {
  const value = {
    text: 'meow 🐈',
    none: null,
    yes: true,
    no: false,
    numbers: [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER],
    negative: [-1, -24, -25, -(2 ** 32)],
    link: cid,
    bytes: Uint8Array.of(1, 2, 3),
    nested: [{ a: { b: [[]] } }, {}],
    ['__proto__x']: 'a key like any other',
  };
  expect(toJson(decode(new Uint8Array(encode(value))))).toEqual(lexToJson(value));
});

test('a key named __proto__ is a key', () => {
  const read = toJson(decode(hex('a1695f5f70726f746f5f5f01')));
  expect(Object.entries(read ?? {})).toEqual([['__proto__', 1]]);
});

test.each([
  ['a number longer than it needs to be', '1817'],
  ['a longer one', '190018'],
  ['the longest', '1b00000000ffffffff'],
  ['a number that is too large', '1bffffffffffffffff'],
  ['a text without an end', '7f6161ff'],
  ['an array without an end', '9f01ff'],
  ['a map out of order', 'a2616201616101'],
  ['a map with a longer key first', 'a262616101616201'],
  ['a key twice', 'a2616101616102'],
  ['a key that is no text', 'a10101'],
  ['another tag', 'c101'],
  ['a link without its zero', `d82a5825${'01'}${hexOf(cid.bytes)}`],
  ['a link of another kind', `d82a582500${hexOf(cid.bytes).replace('0155', '0170')}`],
  ['undefined', 'f7'],
  ['a short float', 'f93c00'],
  ['no number', 'fb7ff8000000000000'],
  ['what is not UTF-8', '61ff'],
  ['a text that is cut off', '6261'],
  ['something behind the value', '0101'],
  ['nothing', ''],
  ['what is too deep', `${'81'.repeat(100)}01`],
  ['more items than there are bytes', '9affffffff'],
])('refuses %s', (_, bytes) => {
  expect(() => decode(hex(bytes))).toThrow(FlawError);
});

function hex(text: string) {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

function hexOf(bytes: Uint8Array) {
  return Buffer.from(bytes).toString('hex');
}
