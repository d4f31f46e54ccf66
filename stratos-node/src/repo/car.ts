import { encode } from '@atproto/lex-cbor';
import { parseCid } from '@atproto/lex-data';
import type { Cid } from '@stratos/protocol';

/** A CAR with one root, see https://ipld.io/specs/transport/car/carv1. */
export function carOf(root: Cid, blocks: Iterable<readonly [Cid, Uint8Array]>): Uint8Array {
  const header = encode({ version: 1, roots: [parseCid(root)] });
  return appendToCar(Buffer.concat([varint(header.length), header]), blocks);
}

/** The CAR with further blocks at its end. */
export function appendToCar(
  car: Uint8Array,
  blocks: Iterable<readonly [Cid, Uint8Array]>,
): Uint8Array {
  const parts = [car];
  for (const [cid, bytes] of blocks) {
    const key = parseCid(cid).bytes;
    parts.push(varint(key.length + bytes.length), key, bytes);
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
