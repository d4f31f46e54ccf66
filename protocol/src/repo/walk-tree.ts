import { setImmediate } from 'node:timers/promises';
import { ProofError } from '../errors.ts';
import type { CidBytes } from '../tree/cid-bytes.ts';
import { decodeNode, encodeNode, MalformedNodeError, type StoredNode } from '../tree/node-codec.ts';
import { layerOf } from '../tree/tree-node.ts';
import { type BlockSource, readBlock } from './block-source.ts';

/** Entries after which others get their turn of the event loop. */
const ENTRIES_PER_TURN = 200;
const KEY = /^[a-zA-Z0-9_~\-:.]+\/[a-zA-Z0-9_~\-:.]+$/;
/** The longest collection, the longest record key, and the slash between. */
const MAX_KEY_LENGTH = 317 + 1 + 512;

export interface TreeEntry {
  /** `{collection}/{rkey}` */
  key: string;
  value: CidBytes;
  /** How high above the leaves it is. */
  layer: number;
}

export interface WalkTreeOptions {
  /** Told of each node that is proven to be of the tree, from the root on. */
  onNode?: ((cid: CidBytes, bytes: Uint8Array) => void) | undefined;
}

/** What a node holds, in the order of the keys. */
type Item = TreeEntry | { child: CidBytes };

interface OpenNode {
  items: Iterator<Item>;
  layer: number;
}

/**
 * All entries of a tree, in the order of their keys, with no more of it in memory than the way to one
 * of them. When it ends, this was the one tree that these entries have.
 *
 * @throws {@link ProofError} when a part of it is missing or out of place
 */
export async function* walkTree(
  blocks: BlockSource,
  root: CidBytes,
  { onNode }: WalkTreeOptions = {},
): AsyncGenerator<TreeEntry, void> {
  const open = async (cid: CidBytes, layer?: number): Promise<OpenNode> => {
    const bytes = await readBlock(blocks, cid);
    const node = openNode(readNode(bytes), layer);
    onNode?.(cid, bytes);
    return node;
  };
  const path = [await open(root)];
  let last = '';
  for (let node = path.at(-1), seen = 1; node; node = path.at(-1), seen++) {
    const { value: item, done } = node.items.next();
    if (done) {
      path.pop();
    } else if ('child' in item) {
      path.push(await open(item.child, node.layer - 1));
    } else {
      // @NOTE also what keeps a node from being visited twice, and the work from growing without end
      if (item.key <= last) throw notCanonical('the keys of the tree are not in order');
      last = item.key;
      yield item;
    }
    if (seen % ENTRIES_PER_TURN === 0) await setImmediate();
  }
}

function readNode(bytes: Uint8Array): StoredNode {
  let node: StoredNode;
  let canonical: Uint8Array;
  try {
    node = decodeNode(bytes);
    canonical = encodeNode(node.left, node.leaves);
  } catch (cause) {
    if (!(cause instanceof MalformedNodeError)) throw cause;
    throw new ProofError('malformed', 'not a node of a tree', { cause });
  }
  if (Buffer.compare(canonical, bytes) !== 0) throw notCanonical('not the encoding of the node');
  return node;
}

/** @param expected - the layer below that of the parent; undefined for the root */
function openNode({ left, leaves }: StoredNode, expected: number | undefined): OpenNode {
  if (!leaves.every(({ key }) => key.length <= MAX_KEY_LENGTH && KEY.test(key))) {
    throw new ProofError('malformed', 'a key of the tree is not one of a record');
  }
  const layer = expected ?? layerOf(leaves[0]?.key ?? '');
  if (layer < 0 || leaves.some(({ key }) => layerOf(key) !== layer)) {
    throw notCanonical('a part of the tree is at another height than it must be');
  }
  // @NOTE without entries are the root of an empty tree, and what only leads further down
  const isRoot = expected === undefined;
  if (leaves.length === 0 && isRoot !== (left === null)) {
    throw notCanonical('a node of the tree is empty');
  }
  return { items: itemsOf({ left, leaves }, layer), layer };
}

function* itemsOf(
  { left, leaves }: Pick<StoredNode, 'left' | 'leaves'>,
  layer: number,
): Generator<Item, void> {
  if (left) yield { child: left };
  for (const { key, value, right } of leaves) {
    yield { key, value, layer };
    if (right) yield { child: right };
  }
}

function notCanonical(what: string): ProofError {
  return new ProofError('not-canonical', what);
}
