import { decodeCid } from '@atproto/lex-data';
import type { Cid } from '@stratos/protocol';
import { LRUCache } from 'lru-cache';
import type { ActorReader } from '../../storage/actor-storage.ts';
import { decodeNode, type StoredNode } from './node-codec.ts';
import type { CidBytes } from './tree-node.ts';

const KEPT_BYTES = 12 * 2 ** 20;
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

/** A tree that lacks a node. */
export class MissingNodeError extends Error {
  override name = 'MissingNodeError';
}

/** Reads a stored node of an actor's tree. */
export async function readNode(
  actor: Pick<ActorReader, 'block'>,
  cid: CidBytes,
): Promise<StoredNode> {
  const known = kept.get(keyOf(cid));
  if (known) return known;
  const bytes = await actor.block(textOf(cid));
  if (!bytes) throw new MissingNodeError('a node of a tree is missing');
  const node = decodeNode(bytes);
  kept.set(keyOf(cid), node);
  return node;
}

/** Remembers a node that is about to be stored. */
export function keepNode(cid: CidBytes, node: StoredNode): void {
  kept.set(keyOf(cid), node);
}

/** The CID as a key of a map. */
export function keyOf(cid: CidBytes): string {
  return Buffer.from(cid.buffer, cid.byteOffset, cid.length).toString('latin1');
}

export function textOf(cid: CidBytes): Cid {
  return decodeCid(cid).toString() as Cid;
}
