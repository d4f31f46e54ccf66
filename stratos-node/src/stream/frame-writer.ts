import type { Cid } from '@stratos/protocol';
import { BLOCK_CID_BYTES, putBlockCid } from '../transfer/block-cid.ts';

const CHUNK_BYTES = 64 * 1024;
const MAX_HEAD_BYTES = 9;
const UINT = 0x00;
const BYTES = 0x40;
const TEXT = 0x60;
const ARRAY = 0x80;
const MAP = 0xa0;
/** Tag 42, as a byte string of a CID and the zero before it. */
const LINK = Uint8Array.from([0xd8, 0x2a, 0x58, BLOCK_CID_BYTES + 1, 0]);

/**
 * Writes DAG-CBOR item by item, the keys of maps in the order that DAG-CBOR wants of its caller. The
 * general encoder takes longer for a frame than everything else that is done for it.
 */
export class FrameWriter {
  #chunk: Buffer;
  #start = 0;
  #used = 0;

  /** @param expectedBytes - what will be written at least, for it to be no more than is needed */
  constructor(expectedBytes: number) {
    this.#chunk = Buffer.allocUnsafe(Math.min(expectedBytes, CHUNK_BYTES));
  }

  /** What was written since the last call. It shares its memory with what comes next to it. */
  take(): Buffer {
    const frame = this.#chunk.subarray(this.#start, this.#used);
    this.#start = this.#used;
    return frame;
  }

  uint(value: number): void {
    this.#head(UINT, value);
  }

  array(length: number): void {
    this.#head(ARRAY, length);
  }

  map(size: number): void {
    this.#head(MAP, size);
  }

  text(value: string): void {
    // @NOTE no character takes more than three bytes for each of its UTF-16 units
    this.#reserve(MAX_HEAD_BYTES + 3 * value.length);
    const length = Buffer.byteLength(value);
    this.#head(TEXT, length);
    this.#used += this.#chunk.write(value, this.#used);
  }

  link(cid: Cid): void {
    this.raw(LINK);
    this.#cid(cid);
  }

  /** The beginning of a byte string, whose bytes must follow. */
  bytesHead(length: number): void {
    this.#head(BYTES, length);
  }

  /** A block as it stands in a CAR. */
  carBlock(cid: Cid, bytes: Uint8Array): void {
    this.#reserve(MAX_HEAD_BYTES);
    let rest = BLOCK_CID_BYTES + bytes.length;
    for (; rest > 0x7f; rest >>>= 7) this.#chunk[this.#used++] = (rest & 0x7f) | 0x80;
    this.#chunk[this.#used++] = rest;
    this.#cid(cid);
    this.raw(bytes);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#chunk.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #cid(cid: Cid): void {
    this.#reserve(BLOCK_CID_BYTES);
    putBlockCid(cid, this.#chunk, this.#used);
    this.#used += BLOCK_CID_BYTES;
  }

  #head(major: number, value: number): void {
    this.#reserve(MAX_HEAD_BYTES);
    if (value < 24) this.#used = this.#chunk.writeUInt8(major | value, this.#used);
    else if (value < 0x100) this.#wide(major | 24, value, 1);
    else if (value < 0x10000) this.#wide(major | 25, value, 2);
    else if (value < 0x100000000) this.#wide(major | 26, value, 4);
    else {
      this.#wide(major | 27, Math.floor(value / 0x100000000), 4);
      this.#used = this.#chunk.writeUInt32BE(value % 0x100000000, this.#used);
    }
  }

  #wide(initial: number, value: number, bytes: 1 | 2 | 4): void {
    this.#chunk[this.#used] = initial;
    this.#used = this.#chunk.writeUIntBE(value, this.#used + 1, bytes);
  }

  /** Makes room, in a new chunk if this one is full. */
  #reserve(length: number): void {
    if (this.#used + length <= this.#chunk.length) return;
    const begun = this.take();
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, 2 * (begun.length + length)));
    this.#chunk.set(begun);
    this.#start = 0;
    this.#used = begun.length;
  }
}

/** What {@link FrameWriter.carBlock} writes for a block, in bytes. */
export function carBlockBytes({ length }: Uint8Array): number {
  const part = BLOCK_CID_BYTES + length;
  let varint = 1;
  for (let rest = part; rest > 0x7f; rest >>>= 7) varint += 1;
  return varint + part;
}
