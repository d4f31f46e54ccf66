import { decode } from '@atproto/lex-cbor';
import { ifCid, isPlainObject } from '@atproto/lex-data';
import { NodeError } from '../node-error.ts';
import { BLOCK_CID_BYTES, isCidOf } from './block-cid.ts';

const MAX_HEADER_BYTES = 1024;
/** Of a block. Records may have less; a node of the tree can be large, if its keys were chosen badly. */
const MAX_BLOCK_BYTES = 1024 * 1024;
const MAX_VARINT_BYTES = 4;

export interface CarBlock {
  /** The bytes of its CID. */
  cid: Uint8Array;
  bytes: Uint8Array;
}

/**
 * Reads a CAR as it comes, with no more of it in memory than one block and one chunk. Every block is
 * checked to be what its CID says: DAG-CBOR, by its SHA-256. All else throws `InvalidCar`.
 */
export class CarReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #pending = Buffer.alloc(0);

  private constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** @returns the reader, and the bytes of the CID of the one root */
  static async open(source: AsyncIterable<Uint8Array>) {
    const reader = new CarReader(source);
    return { reader, root: await reader.#readRoot() };
  }

  /** The blocks, as many at once as have come. */
  async *blocks(): AsyncGenerator<CarBlock[]> {
    do {
      const blocks: CarBlock[] = [];
      for (let part = this.#takePart(MAX_BLOCK_BYTES + BLOCK_CID_BYTES); part; ) {
        blocks.push(blockOf(part));
        part = this.#takePart(MAX_BLOCK_BYTES + BLOCK_CID_BYTES);
      }
      yield blocks;
    } while (await this.#readMore());
    if (this.#pending.length > 0) throw invalidCar('the CAR is cut off');
  }

  async #readRoot(): Promise<Uint8Array> {
    for (;;) {
      const header = this.#takePart(MAX_HEADER_BYTES);
      if (header) return rootOf(header);
      if (!(await this.#readMore())) throw invalidCar('the CAR is cut off');
    }
  }

  async #readMore(): Promise<boolean> {
    const { value, done } = await this.#chunks.next();
    if (done) return false;
    this.#pending = Buffer.concat([this.#pending, value]);
    return true;
  }

  /** The next part with its length before it, if all of it is here. */
  #takePart(maxBytes: number): Buffer | undefined {
    let length = 0;
    for (let i = 0; i < MAX_VARINT_BYTES; i += 1) {
      const byte = this.#pending[i];
      if (byte === undefined) return undefined;
      length += (byte & 0x7f) * 2 ** (7 * i);
      if (byte > 0x7f) continue;
      if (length > maxBytes) throw invalidCar('a part of the CAR is too large');
      const end = i + 1 + length;
      if (this.#pending.length < end) return undefined;
      const part = this.#pending.subarray(i + 1, end);
      this.#pending = this.#pending.subarray(end);
      return part;
    }
    throw invalidCar('a part of the CAR is too large');
  }
}

/** The refusal of a CAR. */
export function invalidCar(why: string, cause?: unknown): NodeError {
  return new NodeError('InvalidCar', why, { cause });
}

function rootOf(header: Uint8Array): Uint8Array {
  const { version, roots } = headerOf(header);
  if (version !== 1) throw invalidCar('not a CAR of version 1');
  if (!Array.isArray(roots) || roots.length !== 1) throw invalidCar('the CAR must have one root');
  const root = ifCid(roots[0]);
  if (!root) throw invalidCar('the CAR must have one root');
  return root.bytes;
}

function headerOf(bytes: Uint8Array): { version?: unknown; roots?: unknown } {
  try {
    const header = decode(bytes);
    if (isPlainObject(header)) return header;
  } catch (cause) {
    throw invalidCar('the header of the CAR cannot be read', cause);
  }
  throw invalidCar('the header of the CAR cannot be read');
}

function blockOf(part: Buffer): CarBlock {
  const cid = part.subarray(0, BLOCK_CID_BYTES);
  const bytes = part.subarray(BLOCK_CID_BYTES);
  if (!isCidOf(cid, bytes)) throw invalidCar('a block of the CAR is not what its CID says');
  return { cid, bytes };
}
