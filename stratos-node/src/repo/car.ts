import { encode } from '@atproto/lex-cbor';
import { decodeCid } from '@atproto/lex-data';
import type { CidBytes } from '@stratos/protocol/tree';

/** A CAR with one root, see https://ipld.io/specs/transport/car/carv1. */
export function carOf(
  root: CidBytes,
  blocks: Iterable<readonly [CidBytes, Uint8Array]>,
): Uint8Array {
  const header = encode({ version: 1, roots: [decodeCid(root)] });
  return appendToCar(Buffer.concat([varint(header.length), header]), blocks);
}

/** The CAR with further blocks at its end. */
export function appendToCar(
  car: Uint8Array,
  blocks: Iterable<readonly [CidBytes, Uint8Array]>,
): Uint8Array {
  const parts = [car];
  for (const [cid, bytes] of blocks) {
    parts.push(varint(cid.length + bytes.length), cid, bytes);
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** Unsigned LEB128, as multiformats has it. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
