import { parseCid } from '@atproto/lex-data';
import { BlockMap, blocksToCarFile } from '@atproto/repo';
import type { Cid } from '@stratos/protocol';

/** A CAR with one root. */
export async function carOf(
  root: Cid,
  blocks: Iterable<readonly [Cid, Uint8Array]>,
): Promise<Uint8Array> {
  const map = new BlockMap();
  for (const [cid, bytes] of blocks) map.set(parseCid(cid), bytes);
  return blocksToCarFile(parseCid(root), map);
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
