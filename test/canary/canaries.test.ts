import { expect, it } from 'vitest';
import { Canaries } from './canaries.ts';

const SECRET = 'two words, "quoted" ~ and ünïcode?';

const disguises: [string, (secret: string) => string][] = [
  ['as it is', (secret) => secret],
  ['in JSON', (secret) => JSON.stringify({ text: secret })],
  ['in a URL', (secret) => `https://a.test/?q=${encodeURIComponent(secret)}`],
  ['as hex', (secret) => Buffer.from(secret).toString('hex')],
  ['as HEX', (secret) => Buffer.from(secret).toString('hex').toUpperCase()],
  ['as a list of bytes', (secret) => JSON.stringify({ bytes: [...Buffer.from(secret)] })],
  ...['', 'a', 'ab', 'abc'].flatMap((before): [string, (secret: string) => string][] => [
    [
      `as base64 after '${before}'`,
      (secret) => Buffer.from(`${before}${secret}z`).toString('base64'),
    ],
    [
      `as base64url after '${before}'`,
      (secret) => Buffer.from(`${before}${secret}z`).toString('base64url'),
    ],
  ]),
];

it.each(disguises)('finds a secret %s', (_, disguise) => {
  const canaries = new Canaries();
  const canary = canaries.watch('a post', SECRET);
  canaries.make('another');
  expect(canaries.in(`before ${disguise(SECRET)} after`)).toEqual([canary]);
});

it('finds nothing where nothing is', () => {
  const canaries = new Canaries();
  canaries.make('a post');
  expect(canaries.in('canary, and nothing else')).toEqual([]);
});
