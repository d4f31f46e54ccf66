import { randomUUID } from 'node:crypto';
import { readSync } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlockSource, CarBlock } from '@stratos/protocol';
import { CID_LENGTH, type CidBytes } from '@stratos/protocol/tree';
import { BlockIndex } from './block-index.ts';

/** Bytes of the length that stands before each block. */
const LENGTH_BYTES = 4;
const HEAD_BYTES = LENGTH_BYTES + CID_LENGTH;
/** What is read at once; most blocks are smaller. */
const READ_BYTES = 4096;

/**
 * Where the blocks of a repo wait while it is checked: a file in the system's temporary folder, which
 * has no name from the moment on at which it is open, so that nothing of it is left however that ends.
 */
export class BlockSpool implements BlockSource, AsyncDisposable {
  readonly #file: FileHandle;
  readonly #index = new BlockIndex();
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #size = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(): Promise<BlockSpool> {
    const path = join(tmpdir(), `stratos-${randomUUID()}`);
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return new BlockSpool(file);
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#size;
  }

  get count(): number {
    return this.#index.count;
  }

  async add(blocks: readonly CarBlock[]): Promise<void> {
    const parts: Uint8Array[] = [];
    let end = this.#size;
    for (const { cid, bytes } of blocks) {
      this.#index.add(cid, end);
      const length = Buffer.allocUnsafe(LENGTH_BYTES);
      length.writeUInt32LE(bytes.length);
      parts.push(length, cid, bytes);
      end += HEAD_BYTES + bytes.length;
    }
    await this.#write(Buffer.concat(parts));
  }

  get(cid: CidBytes): Uint8Array | undefined {
    for (const position of this.#index.positions(cid)) {
      const block = this.#read(position);
      if (block.cid.equals(cid)) return block.bytes;
    }
    return undefined;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const rest = bytes.subarray(from);
      const { bytesWritten } = await this.#file.write(rest, 0, rest.length, this.#size);
      from += bytesWritten;
      this.#size += bytesWritten;
    }
  }

  // @NOTE what was just written is in the memory of the system, and a turn of the event loop for each
  // block would take longer than all the rest
  #read(position: number): { cid: Buffer; bytes: Buffer } {
    const { fd } = this.#file;
    const read = readSync(fd, this.#buffer, 0, READ_BYTES, position);
    const length = this.#buffer.readUInt32LE();
    const bytes = Buffer.allocUnsafeSlow(length);
    const here = this.#buffer.copy(bytes, 0, HEAD_BYTES, Math.min(read, HEAD_BYTES + length));
    if (here < length) readSync(fd, bytes, here, length - here, position + HEAD_BYTES + here);
    return { cid: this.#buffer.subarray(LENGTH_BYTES, HEAD_BYTES), bytes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
