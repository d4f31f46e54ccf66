import { decode, encode } from '@atproto/lex-cbor';
import type { LexMap, LexValue } from '@atproto/lex-data';
import { cborCid } from './cbor-cid.ts';
import { ProofError } from './errors.ts';
import type { Cid } from './identifiers.ts';

/** A DAG-CBOR block and the CID of exactly its bytes. */
export interface Block {
  bytes: Uint8Array;
  cid: Cid;
}

/** Encodes a value canonically. */
export async function encodeBlock(value: LexValue): Promise<Block> {
  const bytes = encode(value);
  return { bytes, cid: await cidOf(bytes) };
}

/** A record as the block that goes into the repo. */
export function encodeRecord(record: LexMap): Promise<Block> {
  return encodeBlock(record);
}

/** The CID of a DAG-CBOR block. */
export async function cidOf(bytes: Uint8Array): Promise<Cid> {
  return cborCid(bytes);
}

/**
 * Reads a record from its bytes.
 *
 * @throws {@link ProofError} `wrong-cid` when the bytes do not hash to `cid`, `not-canonical` when
 * they are not the one canonical encoding, `malformed` when they are no map
 */
export async function decodeRecord(bytes: Uint8Array, cid: Cid): Promise<LexMap> {
  if ((await cidOf(bytes)) !== cid) throw new ProofError('wrong-cid', 'bytes do not match the CID');
  return decodeCanonicalMap(bytes);
}

/** Reads a DAG-CBOR map and refuses any encoding of it but the canonical one. */
export function decodeCanonicalMap(bytes: Uint8Array): LexMap {
  let value: LexValue;
  let canonical: Uint8Array;
  try {
    value = decode(bytes);
    canonical = encode(value);
  } catch (cause) {
    throw new ProofError('malformed', 'not DAG-CBOR', { cause });
  }
  if (Buffer.compare(canonical, bytes) !== 0) {
    throw new ProofError('not-canonical', 'not the canonical DAG-CBOR encoding');
  }
  if (
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value) ||
    ArrayBuffer.isView(value)
  ) {
    throw new ProofError('malformed', 'not a map');
  }
  return value as LexMap;
}
