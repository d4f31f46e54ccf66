import { hash } from 'node:crypto';
import type { CidBytes } from './cid-bytes.ts';

/** A subtree that is stored, by its CID, or one that was changed and is not yet. */
export type Child = CidBytes | TreeNode;

export interface Leaf {
  readonly key: string;
  readonly value: CidBytes;
  /** What lies between this key and the next of the node. */
  readonly right: Child | null;
}

/**
 * A node of a Merkle Search Tree, see https://atproto.com/specs/repository#mst-structure. Nodes are
 * never changed: each change makes new ones.
 */
export interface TreeNode {
  readonly left: Child | null;
  readonly leaves: readonly Leaf[];
}

export const EMPTY: TreeNode = { left: null, leaves: [] };

export function isStored(child: Child): child is CidBytes {
  return ArrayBuffer.isView(child);
}

export function isEmpty(node: TreeNode): boolean {
  return node.left === null && node.leaves.length === 0;
}

/** The layer that a key belongs to: a quarter of the keys of a layer are in the next. */
export function layerOf(key: string): number {
  const digest = hash('sha256', key, 'buffer');
  let layer = 0;
  for (const byte of digest) {
    if (byte === 0) {
      layer += 4;
      continue;
    }
    return layer + ((Math.clz32(byte) - 24) >> 1);
  }
  return layer;
}

/** How many leaves of a node come before a key. */
export function placeOf(node: TreeNode, key: string): number {
  const place = node.leaves.findIndex((leaf) => leaf.key >= key);
  return place === -1 ? node.leaves.length : place;
}

/** What lies before the leaf at a place, or behind all of them. */
export function childAt(node: TreeNode, place: number): Child | null {
  return place === 0 ? node.left : (node.leaves[place - 1]?.right ?? null);
}

/** The node with another child before the leaf at a place. */
export function withChild(node: TreeNode, place: number, child: Child | null): TreeNode {
  if (place === 0) return { left: child, leaves: node.leaves };
  const leaves = [...node.leaves];
  const before = leaves[place - 1];
  if (before) leaves[place - 1] = { ...before, right: child };
  return { left: node.left, leaves };
}

/** The part of a node before a place, with `last` at its end. */
export function startOf(node: TreeNode, place: number, last: Child | null): TreeNode {
  return withChild({ left: node.left, leaves: node.leaves.slice(0, place) }, place, last);
}
