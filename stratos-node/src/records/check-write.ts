import type { LexMap } from '@atproto/lex-data';
import {
  type AtUri,
  type Block,
  type Boundary,
  type Cid,
  encodeRecord,
  recordUri,
} from '@stratos/protocol';
import { blobsOf } from '../blobs/record-blobs.ts';
import type { BlobDescription } from '../blobs/upload-check.ts';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import type { Enrollment } from '../storage/service-storage.ts';
import * as rules from './record-rules.ts';
import type { DeleteWrite, PutWrite, ValidationStatus, Write } from './write.ts';

export interface CheckedPut extends PutWrite {
  uri: AtUri;
  cid: Cid;
  /** The record as it is stored. */
  bytes: Uint8Array;
  boundaries: Boundary[];
  /** Those that the record refers to. */
  blobs: BlobDescription[];
  validationStatus: ValidationStatus;
}

/** A write that keeps all rules that can be told without looking at what is stored. */
export type CheckedWrite = CheckedPut | (DeleteWrite & { uri: AtUri });

/** Checks a list of writes, each by itself and that no two are about the same record. */
export async function checkWrites(
  ctx: Pick<NodeContext, 'config' | 'recordLexicons'>,
  author: Enrollment,
  writes: readonly Write[],
  validate: boolean | undefined,
): Promise<CheckedWrite[]> {
  const paths = new Set(writes.map(({ collection, rkey }) => `${collection}/${rkey}`));
  if (paths.size < writes.length) {
    throw new NodeError('InvalidRequest', 'Two writes are about the same record');
  }
  const checked: CheckedWrite[] = [];
  for (const write of writes) {
    rules.checkCollection(write.collection);
    const uri = recordUri(author.did, write.collection, write.rkey);
    if (write.action === 'delete') checked.push({ ...write, uri });
    else checked.push({ ...write, uri, ...(await checkRecord(ctx, author, write, validate)) });
  }
  return checked;
}

async function checkRecord(
  ctx: Pick<NodeContext, 'config' | 'recordLexicons'>,
  author: Enrollment,
  write: PutWrite,
  validate: boolean | undefined,
) {
  const lexicon = ctx.recordLexicons.get(write.collection);
  rules.checkRecordKey(lexicon, write.rkey);
  const record = rules.typedRecord(write.collection, write.record);
  rules.checkContent(record);
  const blobs = blobsOf(record);
  const validationStatus = rules.checkLexicon(lexicon, record, validate);
  const boundaries = rules.writtenBoundaries(record, {
    did: ctx.config.serviceDid,
    boundaries: ctx.config.boundaries,
  });
  if (!boundaries.every((boundary) => author.boundaries.includes(boundary))) {
    throw new NodeError('ForbiddenBoundary');
  }
  return { record, boundaries, blobs, validationStatus, ...(await blockOf(record)) };
}

async function blockOf(record: LexMap): Promise<Block> {
  const block = await encodeOrRefuse(record);
  if (block.bytes.length > rules.MAX_RECORD_BYTES) {
    throw new NodeError('InvalidRecord', 'The record is too large');
  }
  return block;
}

async function encodeOrRefuse(record: LexMap) {
  try {
    return await encodeRecord(record);
  } catch (cause) {
    throw new NodeError('InvalidRecord', 'The record cannot be encoded', { cause });
  }
}
