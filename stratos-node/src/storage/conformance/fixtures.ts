import { createHash } from 'node:crypto';
import {
  type AtUri,
  type Boundary,
  type Cid,
  type Did,
  recordUri,
  type Tid,
  toDid,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { SWORDSMITH } from '../../testing/test-node.ts';
import type { EventOp, RepoCommit } from '../actor-storage.ts';

export const POST = zone.stratos.feed.post.$nsid;
export const KEY = new Uint8Array(32).fill(7);

/** A DID of a name; only the storage ever sees it. */
export function didOf(name: string): Did {
  return toDid(`did:web:${name}.example.com`);
}

/** Bytes of a text with what stands for their CID; stores compare CIDs and never parse them. */
export function blockOf(text: string): [Cid, Uint8Array] {
  const bytes = new TextEncoder().encode(text);
  return [`bafyrei${createHash('sha256').update(bytes).digest('hex')}` as Cid, bytes];
}

/** The revision of a number; a greater number makes a later one. */
export function revOf(number: number): Tid {
  const digits = number.toString(8).padStart(11, '0');
  return `3l${digits.replaceAll(/\d/g, (digit) => 'abcdefgh'[Number(digit)] ?? '')}` as Tid;
}

export function uriOf(did: Did, rkey: string, collection: string = POST): AtUri {
  return recordUri(did, collection, rkey);
}

export interface TestChange {
  rkey: string;
  /** Undefined to delete. */
  text?: string;
  /** What was there before. */
  was?: string;
  boundaries?: readonly Boundary[];
  collection?: string;
}

export interface TestCommit {
  rev: Tid;
  time?: string;
  /** Further blocks to remove. */
  removed?: readonly Cid[];
}

/** A commit as the stores see it: a commit block, and one block for each record. */
export function commitOf(changes: readonly TestChange[], options: TestCommit): RepoCommit {
  const { rev, time = '2026-01-01T00:00:00.000Z', removed = [] } = options;
  const root = blockOf(`commit ${rev} ${changes.map(({ rkey }) => rkey).join(' ')}`);
  const blocks = changes.flatMap(({ text }) => (text === undefined ? [] : [blockOf(text)]));
  const before = changes.flatMap(({ was }) => (was === undefined ? [] : [blockOf(was)[0]]));
  return {
    root: { cid: root[0], rev },
    newBlocks: [root, ...blocks],
    removedCids: [...before, ...removed],
    event: {
      time,
      rev,
      commit: root[0],
      ops: changes.map(opOf),
      proof: new Uint8Array([1, 2, 3]),
    },
  };
}

function opOf({ rkey, text, was, boundaries, collection = POST }: TestChange): EventOp {
  const cid = text === undefined ? undefined : blockOf(text)[0];
  const prev = was === undefined ? undefined : blockOf(was)[0];
  return {
    action: cid === undefined ? 'delete' : prev === undefined ? 'create' : 'update',
    path: `${collection}/${rkey}`,
    ...(cid !== undefined && { cid, boundaries: [...(boundaries ?? [SWORDSMITH])] }),
    ...(prev !== undefined && { prev }),
  };
}
