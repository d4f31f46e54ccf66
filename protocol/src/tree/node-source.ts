import type { CidBytes } from './cid-bytes.ts';
import type { StoredNode } from './node-codec.ts';

/** Where the nodes of a tree are. */
export interface NodeSource {
  /** Throws {@link MissingNodeError}, or {@link MalformedNodeError} for a block that is none. */
  node(cid: CidBytes): Promise<StoredNode>;
  /** Told of each node that a change makes. */
  keep?(cid: CidBytes, node: StoredNode): void;
}

/** A tree that lacks a node. */
export class MissingNodeError extends Error {
  override name = 'MissingNodeError';
}
