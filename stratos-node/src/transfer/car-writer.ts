import { encode } from '@atproto/lex-cbor';
import { parseCid } from '@atproto/lex-data';
import type { Cid } from '@stratos/protocol';

const CHUNK_BYTES = 64 * 1024;
/** CIDv1, dag-cbor, sha-256 of 32 bytes: all blocks of a repo have such a one. */
const CID_PREFIX = [0x01, 0x71, 0x12, 0x20];
const CID_BYTES = 36;
const MAX_VARINT_BYTES = 8;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
const DIGITS = new Uint8Array(128);
for (let digit = 0; digit < BASE32.length; digit += 1) DIGITS[BASE32.charCodeAt(digit)] = digit;

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
    this.#reserve(MAX_VARINT_BYTES + CID_BYTES + bytes.length);
    this.#putVarint(CID_BYTES + bytes.length);
    this.#putCid(cid);
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

  // @NOTE the general way takes longer than all the rest of an export
  #putCid(cid: Cid): void {
    const start = this.#used;
    let bits = 0;
    let pending = 0;
    for (let i = 1; i < cid.length; i += 1) {
      pending = ((pending << 5) | (DIGITS[cid.charCodeAt(i)] ?? 0)) & 0xffff;
      bits += 5;
      if (bits < 8) continue;
      bits -= 8;
      this.#chunk[this.#used++] = (pending >>> bits) & 0xff;
    }
    const isOfRepo = CID_PREFIX.every((byte, i) => this.#chunk[start + i] === byte);
    if (this.#used - start !== CID_BYTES || !isOfRepo) throw new Error('not a CID of a repo');
  }
}
