import { setImmediate } from 'node:timers/promises';
import { decode, encode } from '@atproto/lex-cbor';
import { type Cid as CidLink, isPlainObject, type LexMap, parseCid } from '@atproto/lex-data';
import { type Cid, type Did, decodeCanonicalMap, isAtUri } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import { type CheckedPut, type CheckedWrite, checkWrites } from '../records/check-write.ts';
import { planChange } from '../records/plan-change.ts';
import { replyTargets } from '../records/record-rules.ts';
import { checkReplies } from '../records/reply-rule.ts';
import { MAX_WRITES, type PutWrite } from '../records/write.ts';
import type { Enrollment } from '../storage/service-storage.ts';
import { type BoundaryMapping, mapBoundaries } from './boundary-mapping.ts';
import { invalidCar } from './car-reader.ts';
import type { ImportSpool, SpooledReply } from './import-spool.ts';
import { TreeBuilder } from './tree-builder.ts';
import { layerOf } from './tree-layer.ts';
import { type TreeLeaf, walkTree } from './walk-tree.ts';

/** Records of one import. */
const MAX_RECORDS = 500_000;

export interface PrepareOptions {
  author: Enrollment;
  /** The node that the records come from. */
  source: Did;
  mapping: BoundaryMapping;
}

export interface PreparedImport {
  records: number;
  /** Root of the tree that the records will have. */
  data: CidLink;
}

/**
 * Checks a tree and each of its records by the rules for a new one, and leaves the records in the
 * spool, ready to be written in the order of their keys.
 *
 * @throws {@link NodeError} `InvalidCar`, or what a write of the record would have thrown
 */
export async function prepareRecords(
  ctx: NodeContext,
  spool: ImportSpool,
  root: CidLink,
  options: PrepareOptions,
): Promise<PreparedImport> {
  const sourceTree = new TreeBuilder();
  /** From the first record on that is not the same here. */
  let ownTree: TreeBuilder | undefined;
  let records = 0;
  for (const leaves of chunksOf(walkTree(root, (cid) => spool.block(cid)))) {
    records += leaves.length;
    if (records > MAX_RECORDS) throw invalidCar('the repo has too many records');
    const writes = leaves.map((leaf) => writeOf(spool, leaf, options));
    const checked = await checkEach(ctx, options.author, writes);
    for (const [i, { key, value }] of leaves.entries()) {
      const layer = layerOf(key);
      const cid = putRecord(ctx, spool, { write: checked[i] as CheckedPut, from: value, layer });
      if (cid !== value) ownTree ??= sourceTree.fork();
      sourceTree.add(key, value, layer);
      ownTree?.add(key, cid, layer);
    }
    sourceTree.takeClosed();
    ownTree?.takeClosed();
    await setImmediate();
  }
  // @NOTE with this, a tree that is not the one of its leaves is found out, in whatever it differs
  if (!sourceTree.root().cid.equals(root)) throw invalidCar('the tree is not built as it must be');
  for (const replies of spool.replies(MAX_WRITES)) {
    await checkReplies(ctx, options.author.did, replies.flatMap(replyAndParent));
    await setImmediate();
  }
  return { records, data: (ownTree ?? sourceTree).root().cid };
}

function* chunksOf(leaves: Iterable<TreeLeaf>): Generator<TreeLeaf[]> {
  let chunk: TreeLeaf[] = [];
  for (const leaf of leaves) {
    if (chunk.push(leaf) < MAX_WRITES) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** A record of the source as the write that would make it here. */
function writeOf(
  spool: ImportSpool,
  { key, value }: TreeLeaf,
  { author, source, mapping }: PrepareOptions,
): PutWrite {
  const uri = `at://${author.did}/${key}`;
  if (!isAtUri(uri)) throw invalidCar('a key of the tree is not one of a record');
  const bytes = spool.block(value.bytes);
  if (!bytes) throw invalidCar(`the record ${key} is missing`);
  const [collection = '', rkey = ''] = key.split('/');
  const record = mapBoundaries(recordOf(bytes, key), mapping, source);
  return { action: 'create', collection, rkey, record };
}

function recordOf(bytes: Uint8Array, key: string): LexMap {
  try {
    const record = decode(bytes);
    if (isPlainObject(record)) return record;
  } catch (cause) {
    throw invalidCar(`the record ${key} cannot be read`, cause);
  }
  throw invalidCar(`the record ${key} cannot be read`);
}

/** The checks of a write, with the key of the record in the answer if one fails. */
async function checkEach(
  ctx: NodeContext,
  author: Enrollment,
  writes: readonly PutWrite[],
): Promise<CheckedWrite[]> {
  try {
    return await checkWrites(ctx, author, writes, undefined);
  } catch (error) {
    for (const write of writes) {
      await checkWrites(ctx, author, [write], undefined).catch((cause: unknown) => {
        if (!(cause instanceof NodeError)) throw cause;
        const { collection, rkey } = write;
        throw new NodeError(cause.code, `${collection}/${rkey}: ${cause.message}`, { cause });
      });
    }
    throw error;
  }
}

/** @returns the CID that the record has here */
function putRecord(
  ctx: NodeContext,
  spool: ImportSpool,
  { write, from, layer }: { write: CheckedPut; from: CidLink; layer: number },
): CidLink {
  const change = planChange(ctx.config, write, undefined);
  if (!change) throw new Error('a record that is new changes something');
  // @NOTE a record that encodes to what it was came in its one canonical encoding
  const cid = write.cid === from.toString() ? from : changed(spool, write, from);
  const { op, stub } = change;
  const { uri, blobs } = write;
  spool.putRecord({ uri, op, stub, blobs, parent: replyTargets(write.record)?.parent, cid, layer });
  return cid;
}

function changed(spool: ImportSpool, { uri, cid, record }: CheckedPut, from: CidLink): CidLink {
  const before = spool.block(from.bytes);
  if (!before || !isCanonical(before)) throw invalidCar(`${uri} is not encoded as it must be`);
  const to = parseCid(cid);
  spool.putBlock(to.bytes, encode(record));
  return to;
}

function isCanonical(bytes: Uint8Array): boolean {
  return Buffer.compare(encode(decode(bytes)), bytes) === 0;
}

/** A reply as it is to be checked, with its parent if that comes along. */
function replyAndParent({ uri, boundaries, bytes, parent }: SpooledReply): CheckedPut[] {
  const reply = { ...STAND_IN, uri, boundaries, record: decodeCanonicalMap(bytes) };
  return parent ? [reply, { ...STAND_IN, ...parent, record: {} }] : [reply];
}

const STAND_IN = {
  action: 'create' as const,
  collection: '',
  rkey: '',
  cid: '' as Cid,
  blobs: [],
  validationStatus: 'unknown' as const,
};
