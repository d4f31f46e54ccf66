import { mkdtemp, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { P256Keypair, Secp256k1Keypair, verifySignature as verifyByAtproto } from '@atproto/crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Curve,
  loadOrCreateSigningKey,
  SigningKey,
  verifySignature,
  verifySignatureAside,
} from './signing-key.ts';

const ORDERS = {
  'P-256': 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp256k1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
};

function withHighS(curve: Curve, signature: Uint8Array): Uint8Array {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
  const high = (ORDERS[curve] - s).toString(16).padStart(64, '0');
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(high, 'hex')]);
}

describe.each(['P-256', 'secp256k1'] as const)('a %s key', (curve) => {
  const key = SigningKey.generate(curve);

  it('makes signatures that the field’s own library takes, and takes theirs', async () => {
    const theirs = await (curve === 'P-256' ? P256Keypair : Secp256k1Keypair).import(key.export());
    expect(key.did()).toBe(theirs.did());
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (message) => {
        expect(await verifyByAtproto(key.did(), message, await key.sign(message))).toBe(true);
        expect(verifySignature(key.did(), message, await theirs.sign(message))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it.each([verifySignature, verifySignatureAside])(
    'refuses any other message, key, length, and the high-S twin',
    async (check) => {
      const message = Buffer.from('a message');
      const signature = await key.sign(message);
      expect(await check(key.did(), message, signature)).toBe(true);
      expect(await check(key.did(), Buffer.from('another'), signature)).toBe(false);
      expect(await check(SigningKey.generate(curve).did(), message, signature)).toBe(false);
      expect(await check(key.did(), message, signature.subarray(1))).toBe(false);
      expect(await check(key.did(), message, withHighS(curve, signature))).toBe(false);
    },
  );
});

describe('loadOrCreateSigningKey', () => {
  it('makes one key for many that ask at once, readable by its owner alone', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'key-')), 'signing_key');
    const keys = await Promise.all(
      Array.from({ length: 8 }, () => loadOrCreateSigningKey(path, 'secp256k1')),
    );
    expect(new Set(keys.map((key) => key.did())).size).toBe(1);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('refuses a file that holds something else rather than replace it', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'key-')), 'signing_key');
    await writeFile(path, 'not a key');
    await expect(loadOrCreateSigningKey(path, 'secp256k1')).rejects.toThrow('does not hold');
  });
});
