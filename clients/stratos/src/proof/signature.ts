import { verifyAsync } from '@noble/secp256k1';
import { type Bytes, numberOf } from './bytes.ts';
import { parseDidKey } from './did-key.ts';
import { P256_ORDER, uncompressed } from './p256.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/**
 * Whether a signature is that of a `did:key:…`, see https://atproto.com/specs/cryptography: ECDSA over the
 * SHA-256 of what is signed, 64 bytes, the lower of the two that there are. Keys of other kinds signed nothing.
 */
export async function isSignedBy(key: string, signed: Bytes, sig: Bytes): Promise<boolean> {
  const { curve, point } = parseDidKey(key) ?? {};
  if (!point || sig.length !== 64) return false;
  if (curve === 'secp256k1') return verifyAsync(sig, signed, point).catch(() => false);
  const whole = uncompressed(point);
  if (!whole || numberOf(sig.subarray(32)) > P256_ORDER / 2n) return false;
  const imported = await crypto.subtle.importKey('raw', whole, P256, false, ['verify']);
  return crypto.subtle.verify(P256, imported, sig, signed);
}
