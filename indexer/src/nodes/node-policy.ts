import type { Did } from '@stratos/protocol';

/** Which nodes the operator lets the indexer follow. */
export interface NodePolicy {
  /** All if empty. */
  allowed: readonly Did[];
  denied: readonly Did[];
  /** Nodes in all, however many indexers share them: anybody can put up another. */
  max: number;
  /** Members of one node: anybody can make up another. */
  maxMembers: number;
}

/** Whether a node may be followed as the operator has it, however many there are. */
export function isAllowedNode({ allowed, denied }: NodePolicy, did: Did): boolean {
  return !denied.includes(did) && (allowed.length === 0 || allowed.includes(did));
}
