import type { ActorReader } from '../../storage/actor-storage.ts';
import { type Child, type CidBytes, childAt, isStored, placeOf } from './tree-node.ts';
import { keyOf, readNode } from './tree-source.ts';

/** Blocks of a tree, by {@link keyOf} their CIDs. */
export type TreeBlocks = Map<string, [CidBytes, Uint8Array]>;

/**
 * Adds the nodes that prove what a tree says of a key, and of its neighbours on both sides: what it
 * takes to undo a change of the key.
 */
export async function addCoveringProof(
  actor: Pick<ActorReader, 'block'>,
  root: Child | null,
  key: string,
  blocks: TreeBlocks,
): Promise<void> {
  if (!root || !isStored(root)) return;
  const node = await readNode(actor, root);
  blocks.set(keyOf(root), [root, node.bytes]);
  const place = placeOf(node, key);
  await addCoveringProof(actor, childAt(node, place), key, blocks);
  const leaf = node.leaves[place];
  if (leaf?.key === key) await addCoveringProof(actor, leaf.right, key, blocks);
}

/**
 * The nodes on the way from the root of a tree to a key, and its value.
 *
 * @returns undefined if the key is not in the tree
 */
export async function pathTo(
  actor: Pick<ActorReader, 'block'>,
  root: CidBytes,
  key: string,
): Promise<{ value: CidBytes; nodes: [CidBytes, Uint8Array][] } | undefined> {
  const nodes: [CidBytes, Uint8Array][] = [];
  for (let at: Child | null = root; at && isStored(at); ) {
    const node = await readNode(actor, at);
    nodes.push([at, node.bytes]);
    const place = placeOf(node, key);
    const leaf = node.leaves[place];
    if (leaf?.key === key) return { value: leaf.value, nodes };
    at = childAt(node, place);
  }
  return undefined;
}
