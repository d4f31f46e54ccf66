import { hash } from 'node:crypto';
import { cidText } from '../cbor-cid.ts';
import type { Cid } from '../identifiers.ts';

/** The 36 bytes of a CIDv1 with SHA-256. */
export type CidBytes = Uint8Array;

export const CID_LENGTH = 36;
/** Version 1, DAG-CBOR, SHA-256 of 32 bytes. */
const CID_PREFIX = Uint8Array.of(1, 0x71, 0x12, 32);

/** The CID of a DAG-CBOR block. */
export function cidBytesOf(bytes: Uint8Array): CidBytes {
  const cid = new Uint8Array(CID_LENGTH);
  cid.set(CID_PREFIX);
  cid.set(hash('sha256', bytes, 'buffer'), CID_PREFIX.length);
  return cid;
}

/** The CID as a key of a map. */
export function keyOf(cid: CidBytes): string {
  return Buffer.from(cid.buffer, cid.byteOffset, cid.length).toString('latin1');
}

/** The text form. */
export function textOf(cid: CidBytes): Cid {
  return cidText(keyOf(cid));
}
