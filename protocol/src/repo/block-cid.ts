import { hash } from 'node:crypto';
import { CID_LENGTH, type CidBytes } from '../tree/cid-bytes.ts';

/** CIDv1, dag-cbor, sha-256 of 32 bytes: all blocks of a repo have such a one. */
const PREFIX = Uint8Array.of(0x01, 0x71, 0x12, 0x20);

/** True if these bytes have the form of the CID of a block of a repo. */
export function isBlockCid(cid: Uint8Array): cid is CidBytes {
  return cid.length === CID_LENGTH && PREFIX.every((byte, i) => cid[i] === byte);
}

/** True if these are the bytes of the CID of the block. */
export function isCidOf(cid: CidBytes, block: Uint8Array): boolean {
  if (!isBlockCid(cid)) return false;
  return hash('sha256', block, 'buffer').compare(cid, PREFIX.length, CID_LENGTH) === 0;
}
