import { CID_LENGTH, type CidBytes } from './cid-bytes.ts';
import type { Leaf, TreeNode } from './tree-node.ts';

/** What is stored has no children that are not. */
export interface StoredLeaf extends Leaf {
  readonly right: CidBytes | null;
}
export interface StoredNode extends TreeNode {
  readonly left: CidBytes | null;
  readonly leaves: readonly StoredLeaf[];
  /** The block. */
  readonly bytes: Uint8Array;
}

/** Bytes that are no block of a tree. */
export class MalformedNodeError extends Error {
  override name = 'MalformedNodeError';
}

/** Tag 42 with a string of 37 bytes, the first of them 0. */
const LINK = Uint8Array.of(0xd8, 0x2a, 0x58, CID_LENGTH + 1, 0);
const NULL = 0xf6;
const [BYTES, ARRAY] = [0x40, 0x80];
/** A text of one letter. */
const NAME = 0x61;
const NODE = 0xa2;
const ENTRY = 0xa4;
/** Bytes of an entry beside its key. */
const ENTRY_ROOM = 2 * (CID_LENGTH + LINK.length) + 20;

/** The one DAG-CBOR encoding of a node whose children are stored. */
export function encodeNode(left: CidBytes | null, leaves: readonly StoredLeaf[]): Uint8Array {
  const room = leaves.reduce((sum, { key }) => sum + key.length + ENTRY_ROOM, 2 * ENTRY_ROOM);
  const out = new NodeWriter(room);
  out.bytes(NODE, NAME, charCode('e'));
  out.head(ARRAY, leaves.length);
  let before = '';
  for (const { key, value, right } of leaves) {
    const shared = sharedPrefix(before, key);
    out.bytes(ENTRY, NAME, charCode('k'));
    out.head(BYTES, key.length - shared);
    out.ascii(key, shared);
    out.bytes(NAME, charCode('p'));
    out.head(0, shared);
    out.bytes(NAME, charCode('t'));
    out.link(right);
    out.bytes(NAME, charCode('v'));
    out.link(value);
    before = key;
  }
  out.bytes(NAME, charCode('l'));
  out.link(left);
  return out.written();
}

/** Reads a block. Throws {@link MalformedNodeError}. */
export function decodeNode(bytes: Uint8Array): StoredNode {
  const block = new NodeReader(bytes);
  block.expect(NODE, NAME, charCode('e'));
  const count = block.head(ARRAY);
  const leaves: StoredLeaf[] = [];
  let before = '';
  for (let i = 0; i < count; i += 1) {
    block.expect(ENTRY, NAME, charCode('k'));
    const rest = block.ascii(block.head(BYTES));
    block.expect(NAME, charCode('p'));
    const key = before.slice(0, block.head(0)) + rest;
    block.expect(NAME, charCode('t'));
    const right = block.link();
    block.expect(NAME, charCode('v'));
    const value = block.link();
    if (!value) throw new MalformedNodeError('a leaf has no value');
    leaves.push({ key, value, right });
    before = key;
  }
  block.expect(NAME, charCode('l'));
  return { left: block.link(), leaves, bytes };
}

class NodeWriter {
  readonly #buffer: Buffer;
  #length = 0;

  constructor(room: number) {
    this.#buffer = Buffer.allocUnsafe(room);
  }

  bytes(...bytes: number[]): void {
    for (const byte of bytes) this.#buffer[this.#length++] = byte;
  }

  /** The head of an item: its type, and a number below 65,536. */
  head(type: number, value: number): void {
    if (value < 24) this.bytes(type | value);
    else if (value < 0x100) this.bytes(type | 24, value);
    else this.bytes(type | 25, value >> 8, value & 0xff);
  }

  ascii(text: string, from: number): void {
    this.#length += this.#buffer.write(text.slice(from), this.#length, 'latin1');
  }

  link(cid: CidBytes | null): void {
    if (!cid) {
      this.bytes(NULL);
      return;
    }
    this.#buffer.set(LINK, this.#length);
    this.#buffer.set(cid, this.#length + LINK.length);
    this.#length += LINK.length + CID_LENGTH;
  }

  written(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(0, this.#length));
  }
}

class NodeReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  expect(...bytes: number[]): void {
    for (const byte of bytes) {
      if (this.#next() !== byte) throw new MalformedNodeError('not a node of a tree');
    }
  }

  head(type: number): number {
    const head = this.#next() - type;
    if (head >= 0 && head < 24) return head;
    if (head === 24) return this.#next();
    if (head === 25) return (this.#next() << 8) | this.#next();
    throw new MalformedNodeError('not a node of a tree');
  }

  ascii(length: number): string {
    return this.#buffer.toString('latin1', this.#at, this.#skip(length));
  }

  link(): CidBytes | null {
    if (this.#buffer[this.#at] === NULL) {
      this.#at += 1;
      return null;
    }
    this.expect(...LINK);
    const start = this.#at;
    return this.#buffer.subarray(start, this.#skip(CID_LENGTH));
  }

  #next(): number {
    const byte = this.#buffer[this.#at++];
    if (byte === undefined) throw new MalformedNodeError('a node is cut off');
    return byte;
  }

  #skip(length: number): number {
    this.#at += length;
    if (this.#at > this.#buffer.length) throw new MalformedNodeError('a node is cut off');
    return this.#at;
  }
}

function sharedPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  return length;
}

function charCode(letter: string): number {
  return letter.charCodeAt(0);
}
