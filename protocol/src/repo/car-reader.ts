import { decode } from '@atproto/lex-cbor';
import { type Cid as CidLink, ifCid, isPlainObject } from '@atproto/lex-data';
import { ProofError } from '../errors.ts';
import { CID_LENGTH, type CidBytes } from '../tree/cid-bytes.ts';
import { isBlockCid } from './block-cid.ts';

const MAX_HEADER_BYTES = 1024;
/** Of a block. Records may have less; a node of the tree can be large, if its keys were chosen badly. */
const MAX_BLOCK_BYTES = 1024 * 1024;
const MAX_VARINT_BYTES = 4;

export interface CarBlock {
  cid: CidBytes;
  bytes: Uint8Array;
}

/**
 * Reads a CAR as it comes, with no more of it in memory than one block and one chunk. Whether a block
 * is what its CID says is for the verifier to see. All that is no CAR of DAG-CBOR blocks throws
 * {@link ProofError} `malformed`.
 */
export class CarReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #pending = Buffer.alloc(0);
  /** Bytes without which there is no next part. */
  #wanted = 0;

  private constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** @returns the reader, and the one root */
  static async open(source: AsyncIterable<Uint8Array>) {
    const reader = new CarReader(source);
    return { reader, root: await reader.#readRoot() };
  }

  /** The blocks, as many at once as have come. */
  async *blocks(): AsyncGenerator<CarBlock[]> {
    do {
      const blocks: CarBlock[] = [];
      for (let part = this.#takeBlock(); part; part = this.#takeBlock()) blocks.push(part);
      yield blocks;
    } while (await this.#readMore());
    if (this.#pending.length > 0) throw malformed('the CAR is cut off');
  }

  async #readRoot(): Promise<CidLink> {
    for (;;) {
      const header = this.#takePart(MAX_HEADER_BYTES);
      if (header) return rootOf(header);
      if (!(await this.#readMore())) throw malformed('the CAR is cut off');
    }
  }

  async #readMore(): Promise<boolean> {
    const chunks: Uint8Array[] = [this.#pending];
    let length = this.#pending.length;
    do {
      const { value, done } = await this.#chunks.next();
      if (done) break;
      chunks.push(value);
      length += value.length;
    } while (length < this.#wanted);
    this.#pending = Buffer.concat(chunks, length);
    return chunks.length > 1;
  }

  #takeBlock(): CarBlock | undefined {
    const part = this.#takePart(MAX_BLOCK_BYTES + CID_LENGTH);
    if (!part) return undefined;
    const cid = part.subarray(0, CID_LENGTH);
    if (!isBlockCid(cid)) throw malformed('a part of the CAR is no block of a repo');
    return { cid, bytes: part.subarray(CID_LENGTH) };
  }

  /** The next part with its length before it, if all of it is here. */
  #takePart(maxBytes: number): Buffer | undefined {
    let length = 0;
    for (let i = 0; i < MAX_VARINT_BYTES; i += 1) {
      const byte = this.#pending[i];
      if (byte === undefined) return undefined;
      length += (byte & 0x7f) * 2 ** (7 * i);
      if (byte > 0x7f) continue;
      if (length > maxBytes) throw malformed('a part of the CAR is too large');
      const end = i + 1 + length;
      this.#wanted = end;
      if (this.#pending.length < end) return undefined;
      const part = this.#pending.subarray(i + 1, end);
      this.#pending = this.#pending.subarray(end);
      this.#wanted = 0;
      return part;
    }
    throw malformed('a part of the CAR is too large');
  }
}

function rootOf(header: Uint8Array): CidLink {
  const { version, roots } = headerOf(header);
  if (version !== 1) throw malformed('not a CAR of version 1');
  const root = Array.isArray(roots) && roots.length === 1 ? ifCid(roots[0]) : null;
  if (!root) throw malformed('the CAR must have one root');
  return root;
}

function headerOf(bytes: Uint8Array): { version?: unknown; roots?: unknown } {
  try {
    const header = decode(bytes);
    if (isPlainObject(header)) return header;
  } catch (cause) {
    throw malformed('the header of the CAR cannot be read', cause);
  }
  throw malformed('the header of the CAR cannot be read');
}

function malformed(why: string, cause?: unknown): ProofError {
  return new ProofError('malformed', why, { cause });
}
