import type { Cid } from '@stratos/protocol';

/** CIDv1, dag-cbor, sha-256 of 32 bytes: all blocks of a repo have such a one. */
const PREFIX = Uint8Array.from([0x01, 0x71, 0x12, 0x20]);
/** Bytes of the CID of a block of a repo. */
export const BLOCK_CID_BYTES = PREFIX.length + 32;

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
const DIGITS = new Uint8Array(128);
for (let digit = 0; digit < BASE32.length; digit += 1) DIGITS[BASE32.charCodeAt(digit)] = digit;

/**
 * Puts the bytes of the CID of a block at a place that has room for them.
 *
 * @throws if it is a CID of anything else
 */
// @NOTE the general way takes longer than all the rest of an export
export function putBlockCid(cid: Cid, target: Uint8Array, start: number): void {
  let end = start;
  let bits = 0;
  let pending = 0;
  for (let i = 1; i < cid.length; i += 1) {
    pending = ((pending << 5) | (DIGITS[cid.charCodeAt(i)] ?? 0)) & 0xffff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    target[end++] = (pending >>> bits) & 0xff;
  }
  const isOfBlock = PREFIX.every((byte, i) => target[start + i] === byte);
  if (end - start !== BLOCK_CID_BYTES || !isOfBlock) throw new Error('not a CID of a repo');
}
