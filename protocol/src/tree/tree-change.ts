import type { Cid } from '../identifiers.ts';
import { type CidBytes, cidBytesOf, keyOf, textOf } from './cid-bytes.ts';
import { encodeNode, type StoredLeaf, type StoredNode } from './node-codec.ts';
import type { NodeSource } from './node-source.ts';
import {
  type Child,
  childAt,
  EMPTY,
  isEmpty,
  isStored,
  layerOf,
  placeOf,
  startOf,
  type TreeNode,
  withChild,
} from './tree-node.ts';

/** A change that does not fit what is in the tree. */
export class TreeConflictError extends Error {
  override name = 'TreeConflictError';
}

/** What a change made of a tree. */
export interface ChangedTree {
  root: CidBytes;
  newBlocks: [Cid, Uint8Array][];
  /** Nodes that are no longer part of it. */
  removedCids: Cid[];
}

/** Changes to a tree, which read no more of it than they must. */
export class TreeChange {
  readonly #source: NodeSource;
  /** Stored nodes that were replaced. */
  readonly #replaced = new Map<string, CidBytes>();
  readonly #written = new Map<string, [CidBytes, Uint8Array]>();
  #root: Child;

  constructor(source: NodeSource, root: Child) {
    this.#source = source;
    this.#root = root;
  }

  /** Begins with a tree that has nothing in it and is not stored. */
  static ofNothing(source: NodeSource): TreeChange {
    return new TreeChange(source, EMPTY);
  }

  /** Adds a key that there is not yet, or gives a key that there is another value. */
  async put(key: string, value: CidBytes, { isNew }: { isNew: boolean }): Promise<void> {
    const layer = layerOf(key);
    const root = await this.#open(this.#root);
    const top = await this.#layerOfRoot(root);
    if (layer <= top || isEmpty(root)) {
      const depth = isEmpty(root) ? 0 : top - layer;
      this.#root = await this.#putInto(root, depth, key, value, isNew);
      return;
    }
    if (!isNew) throw new TreeConflictError('there is no such key');
    const [before, after] = await this.#split(root, key);
    const wrapped = (part: TreeNode | null) => part && wrap(part, layer - top - 1);
    this.#root = { left: wrapped(before), leaves: [{ key, value, right: wrapped(after) }] };
  }

  async remove(key: string): Promise<void> {
    let root = await this.#removeFrom(this.#root, key);
    while (root.leaves.length === 0 && root.left !== null) root = await this.#open(root.left);
    this.#root = root;
  }

  /** Encodes what was changed. */
  finish(): ChangedTree {
    const root = this.#write(this.#root);
    const isThere = (key: string) => this.#written.has(key);
    const written = [...this.#written].filter(([key]) => !this.#replaced.has(key));
    const removed = [...this.#replaced].filter(([key]) => !isThere(key));
    return {
      root,
      newBlocks: written.map(([, [cid, bytes]]) => [textOf(cid), bytes]),
      removedCids: removed.map(([, cid]) => textOf(cid)),
    };
  }

  /** A node that is about to be replaced. */
  async #open(child: Child): Promise<TreeNode> {
    if (!isStored(child)) return child;
    this.#replaced.set(keyOf(child), child);
    return this.#source.node(child);
  }

  async #layerOfRoot(root: TreeNode): Promise<number> {
    let node = root;
    for (let above = 0; ; above += 1) {
      const [leaf] = node.leaves;
      if (leaf) return layerOf(leaf.key) + above;
      if (!node.left) return above;
      node = isStored(node.left) ? await this.#source.node(node.left) : node.left;
    }
  }

  /** @param depth - how far below the node the key belongs */
  async #putInto(
    node: TreeNode,
    depth: number,
    key: string,
    value: CidBytes,
    isNew: boolean,
  ): Promise<TreeNode> {
    const place = placeOf(node, key);
    const child = childAt(node, place);
    if (depth > 0) {
      const below = child ? await this.#open(child) : EMPTY;
      return withChild(node, place, await this.#putInto(below, depth - 1, key, value, isNew));
    }
    const at = node.leaves[place];
    const isThere = at?.key === key;
    if (isThere === isNew) {
      throw new TreeConflictError(isNew ? 'the key is there already' : 'there is no such key');
    }
    if (isThere) {
      const leaves = node.leaves.with(place, { ...at, value });
      return { left: node.left, leaves };
    }
    const [before, after] = child ? await this.#split(child, key) : [null, null];
    const start = startOf(node, place, before);
    const leaves = [...start.leaves, { key, value, right: after }, ...node.leaves.slice(place)];
    return { left: start.left, leaves };
  }

  /** What of a subtree comes before a key, and what after it. */
  async #split(child: Child, key: string): Promise<[TreeNode | null, TreeNode | null]> {
    const node = await this.#open(child);
    const place = placeOf(node, key);
    const between = childAt(node, place);
    const [before, after] = between ? await this.#split(between, key) : [null, null];
    const start = startOf(node, place, before);
    const end = { left: after, leaves: node.leaves.slice(place) };
    return [isEmpty(start) ? null : start, isEmpty(end) ? null : end];
  }

  async #removeFrom(child: Child, key: string): Promise<TreeNode> {
    const node = await this.#open(child);
    const place = placeOf(node, key);
    const before = childAt(node, place);
    const leaf = node.leaves[place];
    if (leaf?.key === key) {
      const merged = await this.#merge(before, leaf.right);
      const rest = { left: node.left, leaves: node.leaves.toSpliced(place, 1) };
      return withChild(rest, place, merged);
    }
    if (!before) throw new TreeConflictError('there is no such key');
    const changed = await this.#removeFrom(before, key);
    return withChild(node, place, isEmpty(changed) ? null : changed);
  }

  /** Two neighbours of one layer as one. */
  async #merge(before: Child | null, after: Child | null): Promise<Child | null> {
    if (!before || !after) return before ?? after;
    const [a, b] = [await this.#open(before), await this.#open(after)];
    const between = await this.#merge(childAt(a, a.leaves.length), b.left);
    const start = startOf(a, a.leaves.length, between);
    return { left: start.left, leaves: [...start.leaves, ...b.leaves] };
  }

  #write(child: Child): CidBytes {
    if (isStored(child)) return child;
    const left = child.left && this.#write(child.left);
    const leaves = child.leaves.map(
      (leaf): StoredLeaf => ({ ...leaf, right: leaf.right && this.#write(leaf.right) }),
    );
    const bytes = encodeNode(left, leaves);
    const cid = cidBytesOf(bytes);
    const node: StoredNode = { left, leaves, bytes };
    this.#source.keep?.(cid, node);
    this.#written.set(keyOf(cid), [cid, bytes]);
    return cid;
  }
}

/** The node below as many others that have nothing else. */
function wrap(node: TreeNode, times: number): TreeNode {
  return times === 0 ? node : wrap({ left: node, leaves: [] }, times - 1);
}
