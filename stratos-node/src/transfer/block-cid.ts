import { hash } from 'node:crypto';
import { type Cid as CidLink, decodeCid } from '@atproto/lex-data';

/** CIDv1, dag-cbor, sha-256 of 32 bytes: all blocks of a repo have such a one. */
const PREFIX = Uint8Array.from([0x01, 0x71, 0x12, 0x20]);
/** Bytes of the CID of a block of a repo. */
export const BLOCK_CID_BYTES = PREFIX.length + 32;

/** The CID of a block, in one turn of the event loop. */
export function blockCid(block: Uint8Array): CidLink {
  return decodeCid(Buffer.concat([PREFIX, hash('sha256', block, 'buffer')], BLOCK_CID_BYTES));
}

/** True if these are the bytes of the CID of the block. */
export function isCidOf(cid: Buffer, block: Uint8Array): boolean {
  return (
    cid.length === BLOCK_CID_BYTES &&
    cid.compare(PREFIX, 0, PREFIX.length, 0, PREFIX.length) === 0 &&
    cid.compare(hash('sha256', block, 'buffer'), 0, 32, PREFIX.length) === 0
  );
}
