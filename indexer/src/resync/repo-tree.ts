import { setImmediate } from 'node:timers/promises';
import { type BlockMap, Leaf, MemoryBlockstore, MST, mstUtil, type NodeEntry } from '@atproto/repo';
import { ProofError } from '@stratos/protocol';

/** Entries after which others get their turn of the event loop. */
const ENTRIES_PER_TURN = 200;

type TreeCid = Leaf['value'];

/**
 * All entries of a tree, in order.
 *
 * @throws ProofError when a part of the tree is missing, or it is not the one tree of its entries
 */
export async function readTree(blocks: BlockMap, root: TreeCid): Promise<Leaf[]> {
  const leaves = await walk(blocks, root).catch((cause) => {
    if (cause instanceof ProofError) throw cause;
    throw new ProofError('not-included', 'the tree cannot be followed', { cause });
  });
  if (!(await rootOf(leaves)).equals(root)) {
    throw new ProofError('not-canonical', 'the tree is not the one of its entries');
  }
  return leaves;
}

async function walk(blocks: BlockMap, root: TreeCid): Promise<Leaf[]> {
  const leaves: Leaf[] = [];
  const open: NodeEntry[] = [MST.load(new MemoryBlockstore(blocks), root)];
  for (let entry = open.pop(), seen = 1; entry; entry = open.pop(), seen++) {
    if (seen % ENTRIES_PER_TURN === 0) await setImmediate();
    if (entry.isLeaf()) {
      // @NOTE what refers to one subtree twice would otherwise be endless work
      const last = leaves.at(-1);
      if (last && last.key >= entry.key) throw new ProofError('not-canonical', 'out of order');
      leaves.push(entry);
    } else if (entry.isTree()) {
      open.push(...(await entry.getEntries()).toReversed());
    }
  }
  return leaves;
}

interface Layered {
  leaf: Leaf;
  layer: number;
}

async function rootOf(leaves: readonly Leaf[]): Promise<TreeCid> {
  const layered: Layered[] = [];
  for (const leaf of leaves) {
    if (layered.length % ENTRIES_PER_TURN === 0) await setImmediate();
    layered.push({ leaf, layer: await mstUtil.leadingZerosOnHash(leaf.key) });
  }
  const top = layered.reduce((highest, { layer }) => Math.max(highest, layer), 0);
  return (await build(layered, top)).getPointer();
}

async function build(leaves: readonly Layered[], layer: number): Promise<MST> {
  await setImmediate();
  const entries: NodeEntry[] = [];
  let below: Layered[] = [];
  const closeBelow = async () => {
    if (below.length > 0) entries.push(await build(below, layer - 1));
    below = [];
  };
  for (const each of leaves) {
    if (each.layer < layer) {
      below.push(each);
      continue;
    }
    await closeBelow();
    entries.push(new Leaf(each.leaf.key, each.leaf.value));
  }
  await closeBelow();
  return MST.create(new MemoryBlockstore(), entries, { layer });
}
