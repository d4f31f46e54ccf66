import { type CidBytes, keyOf } from './cid-bytes.ts';
import type { NodeSource } from './node-source.ts';
import { type Child, childAt, isStored, placeOf } from './tree-node.ts';

/** Blocks of a tree, by {@link keyOf} their CIDs. */
export type TreeBlocks = Map<string, [CidBytes, Uint8Array]>;

/**
 * Adds the nodes that prove what a tree says of a key, and of its neighbours on both sides: what it
 * takes to undo a change of the key.
 */
export async function addCoveringProof(
  source: NodeSource,
  root: Child | null,
  key: string,
  blocks: TreeBlocks,
): Promise<void> {
  if (!root || !isStored(root)) return;
  const node = await source.node(root);
  blocks.set(keyOf(root), [root, node.bytes]);
  const place = placeOf(node, key);
  await addCoveringProof(source, childAt(node, place), key, blocks);
  const leaf = node.leaves[place];
  if (leaf?.key === key) await addCoveringProof(source, leaf.right, key, blocks);
}

/**
 * The nodes on the way from the root of a tree to a key, and its value.
 *
 * @returns undefined if the key is not in the tree
 */
export async function pathTo(
  source: NodeSource,
  root: CidBytes,
  key: string,
): Promise<{ value: CidBytes; nodes: [CidBytes, Uint8Array][] } | undefined> {
  const nodes: [CidBytes, Uint8Array][] = [];
  for (let at: Child | null = root; at && isStored(at); ) {
    const node = await source.node(at);
    nodes.push([at, node.bytes]);
    const place = placeOf(node, key);
    const leaf = node.leaves[place];
    if (leaf?.key === key) return { value: leaf.value, nodes };
    at = childAt(node, place);
  }
  return undefined;
}
