import type { zone } from '../generated/index.ts';
import { ProofError } from './errors.ts';
import type { Cid } from './identifiers.ts';
import {
  type CidBytes,
  keyOf,
  type NodeSource,
  pathTo,
  type TreeBlocks,
  TreeChange,
  textOf,
} from './tree/index.ts';

type OpFrame = zone.stratos.sync.subscribeService.RecordOp;

/** The tree of a commit without its operations. */
export interface TreeBefore {
  root: Cid;
  /** The nodes that lead to what the operations wrote. */
  path: TreeBlocks;
}

/**
 * Takes the operations back from the tree of a commit. Where the tree before is the one that comes out,
 * they are all that changed.
 *
 * @throws {@link ProofError} `not-included` or `malformed`
 */
export async function treeBefore(
  source: NodeSource,
  root: CidBytes,
  ops: readonly OpFrame[],
): Promise<TreeBefore> {
  try {
    const path = await pathToOps(source, root, ops);
    const change = new TreeChange(source, root);
    for (const op of ops) await takeBack(change, op);
    return { root: textOf(change.finish().root), path };
  } catch (cause) {
    if (cause instanceof ProofError) throw cause;
    throw new ProofError('not-included', 'the tree cannot be followed', { cause });
  }
}

async function pathToOps(source: NodeSource, root: CidBytes, ops: readonly OpFrame[]) {
  const nodes: TreeBlocks = new Map();
  for (const op of ops) {
    const found = await pathTo(source, root, op.path);
    if (!isSame(found?.value, op.cid?.bytes)) {
      throw new ProofError('not-included', 'an operation is not in the tree');
    }
    for (const node of found?.nodes ?? []) nodes.set(keyOf(node[0]), node);
  }
  return nodes;
}

function takeBack(change: TreeChange, op: OpFrame): Promise<void> {
  if (op.action === 'create' && op.cid && !op.prev) return change.remove(op.path);
  if (op.action === 'update' && op.cid && op.prev) {
    return change.put(op.path, op.prev.bytes, { isNew: false });
  }
  if (op.action === 'delete' && !op.cid && op.prev) {
    return change.put(op.path, op.prev.bytes, { isNew: true });
  }
  throw new ProofError('malformed', 'an operation does not say what it does');
}

function isSame(left: CidBytes | undefined, right: CidBytes | undefined): boolean {
  return left && right ? Buffer.compare(left, right) === 0 : left === right;
}
