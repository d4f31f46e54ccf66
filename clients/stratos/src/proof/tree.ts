import type { Block } from './car.ts';
import { decodeMap, Link, type Value } from './dag-cbor.ts';
import { must } from './flaw.ts';

const latin1 = new TextDecoder('latin1');

interface Leaf {
  key: string;
  value: string;
  /** What lies between it and the next. */
  right: string | undefined;
}

/**
 * Follows a key of a tree, see https://atproto.com/specs/repository#mst-structure, along the nodes on the way
 * to it, which must be these and no others. Throws a `FlawError`.
 *
 * @param root - CID of the root
 * @returns the CID that the tree has under the key
 */
export function followTree(root: string, key: string, path: readonly Block[]): string {
  let next: string | undefined = root;
  for (const [i, { cid, bytes }] of path.entries()) {
    must(cid === next, 'a node is not the next on the way');
    const { left, leaves } = readNode(decodeMap(bytes));
    const place = leaves.findIndex((leaf) => leaf.key >= key);
    const leaf = leaves[place];
    if (leaf?.key === key) {
      must(i === path.length - 1, 'nodes follow that are not on the way');
      return leaf.value;
    }
    const before = place === -1 ? leaves.at(-1) : leaves[place - 1];
    next = before ? before.right : left;
  }
  must(false, 'the key is not in the tree');
}

function readNode(node: Map<string, Value>) {
  const entries = node.get('e');
  must(Array.isArray(entries) && node.size === 2, 'not a node');
  const leaves: Leaf[] = [];
  for (const entry of entries) {
    must(entry instanceof Map && entry.size === 4, 'not a node');
    const [shared, rest, value] = [entry.get('p'), entry.get('k'), entry.get('v')];
    const before = leaves.at(-1)?.key ?? '';
    must(typeof shared === 'number' && shared <= before.length, 'not a node');
    must(rest instanceof Uint8Array && value instanceof Link, 'not a node');
    const key = before.slice(0, shared) + latin1.decode(rest);
    must(key > before, 'keys are not in order');
    leaves.push({ key, value: value.cid, right: child(entry.get('t')) });
  }
  return { left: child(node.get('l')), leaves };
}

function child(value: Value | undefined): string | undefined {
  must(value === null || value instanceof Link, 'not a node');
  return value?.cid;
}
