import { SigningKey } from '@stratos/protocol';
import { expect, test } from 'vitest';
import { bytesOf, joinBytes, numberOf } from './bytes.ts';
import { P256_ORDER } from './p256.ts';
import { isSignedBy } from './signature.ts';

const ORDERS = {
  'P-256': P256_ORDER,
  secp256k1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
};
const MESSAGE = new TextEncoder().encode('meow');

test.each(['P-256', 'secp256k1'] as const)(
  'of the two signatures of %s one is taken',
  async (curve) => {
    for (let i = 0; i < 20; i++) {
      const key = SigningKey.generate(curve);
      const sig = new Uint8Array(await key.sign(MESSAGE));
      expect(await isSignedBy(key.did(), MESSAGE, sig)).toBe(true);
      const high = bytesOf(ORDERS[curve] - numberOf(sig.subarray(32)), 32);
      const other = joinBytes(sig.subarray(0, 32), high);
      expect(await isSignedBy(key.did(), MESSAGE, other)).toBe(false);
      expect(await isSignedBy(key.did(), MESSAGE.subarray(1), sig)).toBe(false);
      expect(await isSignedBy(key.did(), MESSAGE, joinBytes(sig, Uint8Array.of(0)))).toBe(false);
      expect(await isSignedBy(SigningKey.generate(curve).did(), MESSAGE, sig)).toBe(false);
    }
  },
);

test('a point that is on no curve has signed nothing', async () => {
  const did = SigningKey.generate('P-256').did();
  const sig = new Uint8Array(64).fill(1);
  for (const letter of 'abcdefgh') {
    expect(await isSignedBy(`${did.slice(0, -3)}${letter}${did.slice(-2)}`, MESSAGE, sig)).toBe(
      false,
    );
  }
});
