import { encode } from '@atproto/lex-cbor';
import { jsonToLex } from '@atproto/lex-json';
import { expect, test } from 'vitest';
import { encodeJson } from './encode-json.ts';
import { FlawError } from './flaw.ts';

test.each([
  [{ text: 'meow 🐈', none: null, yes: true, no: false, b: 1, aa: 2, a: 3, é: 4 }],
  [[0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]],
  [[-1, -24, -25, -256, -257, -(2 ** 32), -(2 ** 32) - 1]],
  [{ ref: { $link: 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku' } }],
  [{ bytes: { $bytes: 'AQID' }, nested: [{ a: { b: [[]] } }, {}], long: 'x'.repeat(300) }],
])('writes the bytes that a node signs', (json) => {
  expect(Buffer.from(encodeJson(json))).toEqual(Buffer.from(encode(jsonToLex(json))));
});

test.each([
  ['what is no whole number', 1.5],
  ['a number that is too large', 2 ** 53],
  ['what is too deep', JSON.parse('['.repeat(100_000) + ']'.repeat(100_000))],
])('has nothing for %s', (_, json) => {
  expect(() => encodeJson(json)).toThrow(FlawError);
});
