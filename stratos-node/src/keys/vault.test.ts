import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { isSealed, KeyVault, plainVault, SealedError } from './vault.ts';

const key = randomBytes(32);
const vault = new KeyVault(key);
const secret = randomBytes(32);

it('opens what it sealed, for the same purpose alone', () => {
  const sealed = vault.seal(secret, 'key of rei');
  expect(isSealed(sealed)).toBe(true);
  expect(Buffer.from(sealed).includes(secret)).toBe(false);
  expect(Buffer.from(vault.open(sealed, 'key of rei'))).toEqual(secret);
  expect(Buffer.from(new KeyVault(key).open(sealed, 'key of rei'))).toEqual(secret);
  expect(() => vault.open(sealed, 'key of sakura')).toThrow(SealedError);
  expect(() => new KeyVault(randomBytes(32)).open(sealed, 'key of rei')).toThrow(SealedError);
});

it('notices every byte that was changed, left out or added', () => {
  const sealed = Buffer.from(vault.seal(secret, 'key of rei'));
  for (let at = 4; at < sealed.length; at++) {
    const altered = Buffer.from(sealed);
    altered[at] = (altered[at] ?? 0) ^ 1;
    expect(() => vault.open(altered, 'key of rei')).toThrow(SealedError);
  }
  for (let length = 33; length < sealed.length; length++) {
    expect(() => vault.open(sealed.subarray(0, length), 'key of rei')).toThrow(SealedError);
  }
  expect(() => vault.open(Buffer.concat([sealed, secret]), 'key of rei')).toThrow(SealedError);
});

it('never seals the same way twice', () => {
  const [first, second] = [0, 1].map(() => Buffer.from(vault.seal(secret, 'x')).toString('hex'));
  expect(first).not.toBe(second);
});

it('leaves alone what was never sealed, and without a key what was', () => {
  const sealed = vault.seal(secret, 'x');
  expect(vault.open(secret, 'x')).toBe(secret);
  expect(plainVault.open(plainVault.seal(secret, 'x'), 'x')).toBe(secret);
  expect(() => plainVault.open(sealed, 'x')).toThrow(SealedError);
});
