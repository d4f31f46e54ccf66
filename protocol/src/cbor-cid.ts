import { hash } from 'node:crypto';
import type { Cid } from './identifiers.ts';

/** Version 1, DAG-CBOR, SHA-256 of 32 bytes. */
const PREFIX = '\x01\x71\x12\x20';
const BASE32 = Buffer.from('abcdefghijklmnopqrstuvwxyz234567');
/** Where a text is put together; strings that grow letter by letter take three times as long. */
const text = Buffer.from('b'.padEnd(59));

/** The CID of a DAG-CBOR block. Code for CIDs of all kinds takes several times as long. */
export function cborCid(block: Uint8Array): Cid {
  return cidText(PREFIX + hash('sha256', block, 'binary'));
}

/** The text form of a CID of 36 bytes, of which each character of `bytes` is one. */
export function cidText(bytes: string): Cid {
  let at = 1;
  let bits = 0;
  let pending = 0;
  for (let i = 0; i < bytes.length; i += 1) {
    pending = ((pending << 8) | bytes.charCodeAt(i)) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text[at++] = letter(pending >>> (bits - 5));
  }
  text[at] = letter(pending << (5 - bits));
  return text.toString('latin1', 0, at + 1) as Cid;
}

function letter(fiveBits: number): number {
  return BASE32[fiveBits & 31] ?? 0;
}
