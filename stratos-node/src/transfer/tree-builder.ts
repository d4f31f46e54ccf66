import { type CidBytes, cidBytesOf, encodeNode, layerOf } from '@stratos/protocol/tree';

export type TreeBlock = readonly [cid: CidBytes, bytes: Uint8Array];

interface Entry {
  key: string;
  value: CidBytes;
  /** The tree of keys between this and the next entry. */
  right: CidBytes | null;
}

interface OpenNode {
  /** The tree of keys before the first entry. */
  left: CidBytes | null;
  entries: Entry[];
}

/**
 * Builds the one tree that a list of records has, from records in the order of their keys. Only the
 * nodes at its right edge are kept; all others can no longer change, and are handed out.
 */
export class TreeBuilder {
  /** By layer, from the leaves. */
  #edge: OpenNode[] = [];
  #closed: TreeBlock[] = [];

  /** @param key - greater than all before */
  add(key: string, value: CidBytes, layer = layerOf(key)): void {
    let below: CidBytes | null = null;
    for (let i = 0; i < layer; i += 1) {
      const node = this.#openAt(i);
      attach(node, below);
      below = this.#close(node);
      this.#edge[i] = { left: null, entries: [] };
    }
    const node = this.#openAt(layer);
    attach(node, below);
    node.entries.push({ key, value, right: null });
  }

  /** Nodes that can no longer change, those since the last call. */
  takeClosed(): TreeBlock[] {
    const closed = this.#closed;
    this.#closed = [];
    return closed;
  }

  /** The root as of now, with the nodes of the right edge that lead to it. */
  root(): { cid: CidBytes; edge: TreeBlock[] } {
    const top = this.#edge.findLastIndex(({ entries }) => entries.length > 0);
    const edge: TreeBlock[] = [];
    let below: CidBytes | null = null;
    for (const node of top < 0 ? [EMPTY] : this.#edge.slice(0, top + 1)) {
      const complete = copyOf(node);
      attach(complete, below);
      if (node !== EMPTY && isEmpty(complete)) continue;
      const closed = toBlock(complete);
      edge.push(closed);
      [below] = closed;
    }
    const root = edge.at(-1);
    if (!root) throw new Error('a tree has a root');
    return { cid: root[0], edge };
  }

  #openAt(layer: number): OpenNode {
    while (this.#edge.length <= layer) this.#edge.push({ left: null, entries: [] });
    return this.#edge[layer] as OpenNode;
  }

  #close(node: OpenNode): CidBytes | null {
    if (isEmpty(node)) return null;
    const closed = toBlock(node);
    this.#closed.push(closed);
    return closed[0];
  }
}

const EMPTY: OpenNode = { left: null, entries: [] };

function copyOf({ left, entries }: OpenNode): OpenNode {
  return { left, entries: entries.map((entry) => ({ ...entry })) };
}

function isEmpty({ left, entries }: OpenNode): boolean {
  return left === null && entries.length === 0;
}

function attach(node: OpenNode, below: CidBytes | null): void {
  if (below === null) return;
  const last = node.entries.at(-1);
  if (last) last.right = below;
  else node.left = below;
}

function toBlock({ left, entries }: OpenNode): TreeBlock {
  const bytes = encodeNode(left, entries);
  return [cidBytesOf(bytes), bytes];
}
