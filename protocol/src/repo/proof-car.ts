import { encode } from '@atproto/lex-cbor';
import { parseCid } from '@atproto/lex-data';
import type { Cid } from '../identifiers.ts';
import type { CidBytes } from '../tree/cid-bytes.ts';

/** A CAR of what shows which records a repo has: its commit, and nodes of its tree. */
export class ProofCar {
  readonly #parts: Uint8Array[] = [];

  constructor(commit: Cid) {
    const header = encode({ version: 1, roots: [parseCid(commit)] });
    this.#parts.push(lengthOf(header.length), header);
  }

  add(cid: CidBytes, bytes: Uint8Array): void {
    this.#parts.push(lengthOf(cid.length + bytes.length), cid, bytes);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return Buffer.concat(this.#parts);
  }
}

/** As in https://ipld.io/specs/transport/car/carv1/: seven bits in each byte, the lowest first. */
function lengthOf(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Uint8Array.of(...bytes, rest);
}
