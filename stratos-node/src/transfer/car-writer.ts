import { encode } from '@atproto/lex-cbor';
import { parseCid } from '@atproto/lex-data';
import type { Cid } from '@stratos/protocol';
import { BLOCK_CID_BYTES, putBlockCid } from './block-cid.ts';

const CHUNK_BYTES = 64 * 1024;
const MAX_VARINT_BYTES = 8;

/** Puts blocks into the bytes of a CAR, and those into chunks of about 64 KB. */
export class CarWriter {
  #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  #used = 0;
  #full: Uint8Array[] = [];

  constructor(root: Cid) {
    const header = encode({ version: 1, roots: [parseCid(root)] });
    this.#reserve(MAX_VARINT_BYTES + header.length);
    this.#putVarint(header.length);
    this.#put(header);
  }

  add(cid: Cid, bytes: Uint8Array): void {
    this.#reserve(MAX_VARINT_BYTES + BLOCK_CID_BYTES + bytes.length);
    this.#putVarint(BLOCK_CID_BYTES + bytes.length);
    putBlockCid(cid, this.#chunk, this.#used);
    this.#used += BLOCK_CID_BYTES;
    this.#put(bytes);
  }

  /** The chunks that are full. */
  takeFull(): Uint8Array[] {
    const full = this.#full;
    this.#full = [];
    return full;
  }

  /** What is left at the end. */
  takeRest(): Uint8Array {
    return this.#chunk.subarray(0, this.#used);
  }

  #reserve(length: number): void {
    if (this.#used + length <= this.#chunk.length) return;
    if (this.#used > 0) this.#full.push(this.takeRest());
    this.#chunk = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, length));
    this.#used = 0;
  }

  #put(bytes: Uint8Array): void {
    this.#chunk.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #putVarint(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#chunk[this.#used++] = (rest & 0x7f) | 0x80;
    this.#chunk[this.#used++] = rest;
  }
}
