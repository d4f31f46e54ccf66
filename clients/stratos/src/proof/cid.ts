import { type Bytes, joinBytes, sha256 } from './bytes.ts';

/** Of a CID in bytes: version, codec, hash function, length of the hash, hash. */
export const CID_LENGTH = 36;
const DAG_CBOR = Uint8Array.of(1, 0x71, 0x12, 32);
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** The text of the CID that a DAG-CBOR block has. */
export async function cidOf(block: Bytes): Promise<string> {
  return cidText(joinBytes(DAG_CBOR, await sha256(block)));
}

/** Base32 of the 36 bytes of a CID. */
export function cidText(cid: Bytes): string {
  let text = 'b';
  let bits = 0;
  let pending = 0;
  for (const byte of cid) {
    pending = ((pending << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(pending >>> (bits - 5)) & 31];
  }
  return bits > 0 ? text + ALPHABET[(pending << (5 - bits)) & 31] : text;
}

/** The bytes of such a text; undefined for any other. */
export function cidBytes(text: string): Bytes | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let pending = 0;
  for (const letter of text.slice(1)) {
    pending = ((pending << 5) | ALPHABET.indexOf(letter)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((pending >>> bits) & 255);
  }
  const cid = Uint8Array.from(bytes);
  return cidText(cid) === text ? cid : undefined;
}
