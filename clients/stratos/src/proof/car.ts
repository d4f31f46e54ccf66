import { type Bytes, isSameBytes, joinBytes, sha256 } from './bytes.ts';
import { CID_LENGTH, cidText } from './cid.ts';
import { must } from './flaw.ts';

/** `{roots: [link], version: 1}` as DAG-CBOR, around the CID of the root. */
const HEADER_START = Uint8Array.of(
  ...[0xa2, 0x65, 0x72, 0x6f, 0x6f, 0x74, 0x73, 0x81, 0xd8, 0x2a, 0x58, CID_LENGTH + 1, 0],
);
const HEADER_END = Uint8Array.of(0x67, 0x76, 0x65, 0x72, 0x73, 0x69, 0x6f, 0x6e, 1);
const DAG_CBOR = Uint8Array.of(1, 0x71, 0x12, 32);

export interface Block {
  /** The text of its CID. */
  cid: string;
  bytes: Bytes;
}

/**
 * Reads a CAR of version 1 whose blocks are what their CIDs say, and whose first block is its root.
 * Throws a `FlawError`.
 */
export async function readCar(car: Bytes): Promise<Block[]> {
  const [header, ...parts] = partsOf(car);
  const blocks = await Promise.all(parts.map(readBlock));
  const root = parts[0]?.subarray(0, CID_LENGTH);
  must(header !== undefined && root !== undefined, 'there is nothing in the CAR');
  must(isSameBytes(header, joinBytes(HEADER_START, root, HEADER_END)), 'another header');
  return blocks;
}

async function readBlock(part: Bytes): Promise<Block> {
  const cid = part.slice(0, CID_LENGTH);
  const bytes = part.slice(CID_LENGTH);
  must(isSameBytes(cid, joinBytes(DAG_CBOR, await sha256(bytes))), 'a block is not of its CID');
  return { cid: cidText(cid), bytes };
}

/** Each has its length before it, seven bits in a byte, the lowest first. */
function partsOf(car: Bytes): Bytes[] {
  const parts: Bytes[] = [];
  for (let at = 0; at < car.length; ) {
    let length = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      const byte = car[at++] ?? 0;
      must(shift < 28 && (shift === 0 || byte > 0), 'the length of a part is not written shortest');
      length += (byte & 0x7f) << shift;
      more = byte > 0x7f;
    }
    must(length <= car.length - at, 'the CAR is cut off');
    parts.push(car.subarray(at, at + length));
    at += length;
  }
  return parts;
}
