import {
  type CidBytes,
  decodeNode,
  keyOf,
  MissingNodeError,
  type NodeSource,
  type StoredNode,
  textOf,
} from '@stratos/protocol/tree';
import { LRUCache } from 'lru-cache';
import type { ActorReader } from '../storage/actor-storage.ts';

const KEPT_BYTES = 8 * 2 ** 20;
/** What a node in memory takes, for each byte of its block. */
const BYTES_PER_BYTE = 4;

/**
 * Nodes of everybody's trees that were used last. They say which records there are, and hold nothing
 * of their content; by their CIDs they are the same whoever wrote them.
 */
const kept = new LRUCache<string, StoredNode>({
  maxSize: KEPT_BYTES,
  sizeCalculation: ({ bytes }) => bytes.length * BYTES_PER_BYTE,
});

/** The nodes of an actor's tree. */
export function nodesOf(actor: Pick<ActorReader, 'block'>): NodeSource {
  return { node: (cid) => readNode(actor, cid), keep };
}

async function readNode(actor: Pick<ActorReader, 'block'>, cid: CidBytes): Promise<StoredNode> {
  const known = kept.get(keyOf(cid));
  if (known) return known;
  const bytes = await actor.block(textOf(cid));
  if (!bytes) throw new MissingNodeError('a node of a tree is missing');
  const node = decodeNode(bytes);
  keep(cid, node);
  return node;
}

function keep(cid: CidBytes, node: StoredNode): void {
  kept.set(keyOf(cid), node);
}
