import type { Cid as CidLink } from '@atproto/lex-data';
import { ProofError } from './errors.ts';
import { isCidOf } from './repo/block-cid.ts';
import type { BlockSource } from './repo/block-source.ts';
import { CarReader } from './repo/car-reader.ts';
import {
  type CidBytes,
  decodeNode,
  keyOf,
  MissingNodeError,
  type NodeSource,
  type StoredNode,
} from './tree/index.ts';

/** Nodes that an operation can need at most: a tree has no more than 128 layers. */
const NODES_PER_OPERATION = 4 * 128;

/** The blocks of a commit event, all of which hash to their CIDs. */
export class FrameBlocks implements BlockSource, NodeSource {
  readonly root: CidLink;
  readonly #blocks = new Map<string, Uint8Array>();
  readonly #nodes = new Map<string, StoredNode>();
  #nodesLeft: number;

  private constructor(root: CidLink, operations: number) {
    this.root = root;
    this.#nodesLeft = NODES_PER_OPERATION * (operations + 1);
  }

  /** Throws {@link ProofError} `malformed` or `wrong-cid`. */
  static async read(car: Uint8Array, operations: number): Promise<FrameBlocks> {
    const { reader, root } = await CarReader.open(only(car));
    const frame = new FrameBlocks(root, operations);
    for await (const blocks of reader.blocks()) {
      for (const { cid, bytes } of blocks) {
        if (!isCidOf(cid, bytes)) throw new ProofError('wrong-cid', 'a block is not of its CID');
        frame.#blocks.set(keyOf(cid), bytes);
      }
    }
    return frame;
  }

  get(cid: CidBytes): Uint8Array | undefined {
    return this.#blocks.get(keyOf(cid));
  }

  async node(cid: CidBytes): Promise<StoredNode> {
    const key = keyOf(cid);
    const known = this.#nodes.get(key);
    if (this.#nodesLeft-- <= 0) throw new ProofError('malformed', 'the tree is too high');
    if (known) return known;
    const bytes = this.#blocks.get(key);
    if (!bytes) throw new MissingNodeError('a node of the tree is missing');
    const node = decodeNode(bytes);
    this.#nodes.set(key, node);
    return node;
  }
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
