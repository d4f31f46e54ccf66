import { type KeyObject, sign, verify } from 'node:crypto';

const HALF = 32;
const [SEQUENCE, INTEGER] = [0x30, 0x02];

// @NOTE Node's own `ieee-p1363` asks OpenSSL for the order of the curve each time, which takes half as long as
// verifying and is done on the main thread even where the rest is not.

/** An ECDSA signature over SHA-256 as `r` and `s`, 32 bytes each. */
export function signCompact(key: KeyObject, message: Uint8Array): Uint8Array {
  return fromDer(sign('sha256', message, key));
}

/** Whether `signature` is `r` and `s` of an ECDSA signature over SHA-256 by the key. */
export function verifyCompact(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 2 * HALF && verify('sha256', message, key, toDer(signature));
}

/** The same, while the main thread does something else. */
export async function verifyCompactAside(
  key: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (signature.length !== 2 * HALF) return false;
  return new Promise((resolve, reject) => {
    verify('sha256', message, key, toDer(signature), (error, isValid) => {
      if (error) reject(error);
      else resolve(isValid);
    });
  });
}

/** The form of RFC 3279 §2.2.3, with the shortest integers. */
function toDer(compact: Uint8Array): Uint8Array {
  const [r, s] = [start(compact, 0), start(compact, HALF)];
  const [rPad, sPad] = [pad(compact, r), pad(compact, s)];
  const [rLength, sLength] = [HALF - r + rPad, 2 * HALF - s + sPad];
  const der = new Uint8Array(6 + rLength + sLength);
  der.set([SEQUENCE, 4 + rLength + sLength, INTEGER, rLength]);
  der.set(compact.subarray(r, HALF), 4 + rPad);
  der.set([INTEGER, sLength], 4 + rLength);
  der.set(compact.subarray(s), 6 + rLength + sPad);
  return der;
}

/** Where the integer that fills this half begins; it has one byte at least. */
function start(compact: Uint8Array, from: number): number {
  let at = from;
  while (at < from + HALF - 1 && compact[at] === 0) at += 1;
  return at;
}

/** Without another byte before it, this integer would be a negative one. */
function pad(compact: Uint8Array, at: number): number {
  return (compact[at] ?? 0) >= 0x80 ? 1 : 0;
}

function fromDer(der: Uint8Array): Uint8Array {
  const compact = new Uint8Array(2 * HALF);
  let at = 2;
  for (const end of [HALF, 2 * HALF]) {
    const next = at + 2 + (der[at + 1] ?? 0);
    const integer = der.subarray(at + 2, next);
    const digits = integer.subarray(Math.max(0, integer.length - HALF));
    compact.set(digits, end - digits.length);
    at = next;
  }
  return compact;
}
