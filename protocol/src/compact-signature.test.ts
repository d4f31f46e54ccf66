import { generateKeyPairSync, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { signCompact, verifyCompact, verifyCompactAside } from './compact-signature.ts';

const dsaEncoding = 'ieee-p1363';

it.each(['P-256', 'secp256k1'])('makes and takes what Node does, with keys of %s', (namedCurve) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (message) => {
      const ours = signCompact(privateKey, message);
      const theirs = sign('sha256', message, { key: privateKey, dsaEncoding });
      expect(ours).toHaveLength(64);
      expect(verify('sha256', message, { key: publicKey, dsaEncoding }, ours)).toBe(true);
      expect(verifyCompact(publicKey, message, theirs)).toBe(true);
    }),
    { numRuns: 600 },
  );
});

it('says of any 64 bytes what Node says', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const message = Buffer.from('a message');
  const half = fc
    .tuple(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat({ max: 32 }))
    .map(([bytes, zeros]) => bytes.fill(0, 0, zeros));
  await fc.assert(
    fc.asyncProperty(half, half, async (r, s) => {
      const signature = Buffer.concat([r, s]);
      const expected = verify('sha256', message, { key: publicKey, dsaEncoding }, signature);
      expect(verifyCompact(publicKey, message, signature)).toBe(expected);
      expect(await verifyCompactAside(publicKey, message, signature)).toBe(expected);
    }),
  );
  const good = signCompact(privateKey, message);
  for (let at = 0; at < good.length; at++) {
    const changed = good.map((byte, i) => (i === at ? byte ^ 1 : byte));
    expect(verifyCompact(publicKey, message, changed)).toBe(false);
  }
  expect(verifyCompact(publicKey, message, good.subarray(1))).toBe(false);
  expect(await verifyCompactAside(publicKey, message, Buffer.concat([good, good]))).toBe(false);
});
