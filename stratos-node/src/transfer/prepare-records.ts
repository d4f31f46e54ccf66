import { setImmediate } from 'node:timers/promises';
import { decode, encode } from '@atproto/lex-cbor';
import { isPlainObject, type LexMap } from '@atproto/lex-data';
import {
  type Cid,
  type Did,
  decodeCanonicalMap,
  type RepoRecord,
  repoRecords,
  type SignedRepo,
} from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import { type CheckedPut, type CheckedWrite, checkWrites } from '../records/check-write.ts';
import { planChange } from '../records/plan-change.ts';
import { replyTargets } from '../records/record-rules.ts';
import { checkReplies } from '../records/reply-rule.ts';
import { MAX_WRITES, type PutWrite } from '../records/write.ts';
import type { Enrollment } from '../storage/service-storage.ts';
import { BLOCK_CID_BYTES, putBlockCid } from './block-cid.ts';
import { type BoundaryMapping, mapBoundaries } from './boundary-mapping.ts';
import type { ImportSpool, SpooledReply } from './import-spool.ts';
import { invalidCar } from './invalid-car.ts';

/** Records of one import. */
const MAX_RECORDS = 500_000;

export interface PrepareOptions {
  author: Enrollment;
  /** The node that the records come from. */
  source: Did;
  mapping: BoundaryMapping;
}

/**
 * Proves a repo to be whole, checks each of its records by the rules for a new one, and leaves them in
 * the spool, ready to be written in the order of their keys.
 *
 * @returns how many there are
 * @throws {@link ProofError}, or {@link NodeError}: `InvalidCar`, or what a write of the record would have
 * thrown
 */
export async function prepareRecords(
  ctx: NodeContext,
  spool: ImportSpool,
  repo: SignedRepo,
  options: PrepareOptions,
): Promise<number> {
  let count = 0;
  for await (const records of chunksOf(repoRecords(spool, repo))) {
    count += records.length;
    if (count > MAX_RECORDS) throw invalidCar('the repo has too many records');
    const sources = records.map((record) => ({ ...record, value: recordOf(record) }));
    const writes = sources.map((source) => writeOf(source, options));
    const checked = await checkEach(ctx, options.author, writes);
    for (const [i, source] of sources.entries()) {
      putRecord(ctx, spool, { write: checked[i] as CheckedPut, source });
    }
  }
  for (const replies of spool.replies(MAX_WRITES)) {
    await checkReplies(ctx, options.author.did, replies.flatMap(replyAndParent));
    await setImmediate();
  }
  return count;
}

async function* chunksOf(records: AsyncIterable<RepoRecord>): AsyncGenerator<RepoRecord[]> {
  let chunk: RepoRecord[] = [];
  for await (const record of records) {
    if (chunk.push(record) < MAX_WRITES) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** A record as it is at the source. */
interface SourceRecord extends RepoRecord {
  value: LexMap;
}

/** The write that would make the record here. */
function writeOf(
  { collection, rkey, value }: SourceRecord,
  { source, mapping }: PrepareOptions,
): PutWrite {
  return { action: 'create', collection, rkey, record: mapBoundaries(value, mapping, source) };
}

function recordOf({ collection, rkey, bytes }: RepoRecord): LexMap {
  try {
    const value = decode(bytes);
    if (isPlainObject(value)) return value;
  } catch (cause) {
    throw invalidCar(`the record ${collection}/${rkey} cannot be read`, cause);
  }
  throw invalidCar(`the record ${collection}/${rkey} cannot be read`);
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

function putRecord(
  ctx: NodeContext,
  spool: ImportSpool,
  { write, source }: { write: CheckedPut; source: SourceRecord },
): void {
  const change = planChange(ctx.config, write, undefined);
  if (!change) throw new Error('a record that is new changes something');
  const { op, stub } = change;
  const { uri, blobs } = write;
  const parent = replyTargets(write.record)?.parent;
  const { layer } = source;
  spool.putRecord({ uri, op, stub, blobs, parent, layer, ...stored(write, source) });
}

/** The CID that the record has here, and its bytes if they are others than at the source. */
function stored({ uri, cid: text, bytes }: CheckedPut, source: SourceRecord) {
  // @NOTE a record that encodes to what it was came in its one canonical encoding
  if (Buffer.compare(bytes, source.bytes) === 0) {
    return { cid: source.cidBytes, bytes: undefined };
  }
  if (Buffer.compare(encode(source.value), source.bytes) !== 0) {
    throw invalidCar(`${uri} is not encoded as it must be`);
  }
  const cid = new Uint8Array(BLOCK_CID_BYTES);
  putBlockCid(text, cid, 0);
  return { cid, bytes };
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
  bytes: new Uint8Array(),
  blobs: [],
  validationStatus: 'unknown' as const,
};
