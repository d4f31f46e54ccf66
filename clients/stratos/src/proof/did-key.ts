import { type Bytes, bytesOf } from './bytes.ts';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** Two bytes that say which curve it is, and a compressed point. */
const LENGTH = 35;

export interface PublicKey {
  curve: 'P-256' | 'secp256k1';
  /** A point, compressed to 33 bytes. */
  point: Bytes;
}

/** Reads a `did:key:…`, see https://atproto.com/specs/cryptography. Undefined unless it is of such a curve. */
export function parseDidKey(key: string): PublicKey | undefined {
  const text = key.replace(/^did:key:z/, '');
  if (text === key || text.length >= 2 * LENGTH || text.startsWith('1')) return undefined;
  let number = 0n;
  for (const letter of text) {
    const digit = ALPHABET.indexOf(letter);
    if (digit < 0) return undefined;
    number = number * 58n + BigInt(digit);
  }
  if (number >> BigInt(8 * LENGTH) !== 0n) return undefined;
  const [first, second, ...point] = bytesOf(number, LENGTH);
  if (first === 0x80 && second === 0x24) return { curve: 'P-256', point: Uint8Array.from(point) };
  if (first === 0xe7 && second === 0x01)
    return { curve: 'secp256k1', point: Uint8Array.from(point) };
  return undefined;
}
