import { type PostContent, postContents, type TimelinePost } from '@stratos/prisma/queries';
import { type AtUri, type Cid, type Did, decodeRecord, ProofError } from '@stratos/protocol';
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import type { Candidate, Transaction } from '../feeds/skeleton.ts';
import type { Logger } from '../logger.ts';
import { type Author, authorOf } from './authors.ts';
import type { FoundRecord, NodeRecords } from './nodes/node-records.ts';

/** Of records in memory. */
const VERIFIED_BYTES = 32 * 2 ** 20;

export type RecordValue = Awaited<ReturnType<typeof decodeRecord>>;

/** A post whose bytes were found to be those of its CID. Nobody has been allowed to see it yet. */
export interface HydratedPost {
  uri: AtUri;
  node: Did;
  cid: Cid;
  value: RecordValue;
  indexedAt: Date;
}

/** A post that was found, with its content as of the same transaction. Not yet verified. */
export interface StoredPost {
  candidate: Candidate;
  content: PostContent | undefined;
  /** Where they were read with it. */
  author?: Author;
}

/** Records that were not served because they are not what was proven when they came in. */
export interface HydrationCounter {
  refused: number;
}

/** Verifies a post anew; undefined when it fails. */
export type PostHydrator = (post: StoredPost) => Promise<HydratedPost | undefined>;

/** Reads the contents of posts in the transaction that found them. */
export async function readPosts(
  transaction: Transaction,
  candidates: readonly Candidate[],
): Promise<StoredPost[]> {
  if (candidates.length === 0) return [];
  const contents = await postContents(transaction, candidates);
  const rows = new Map(contents.map((content) => [postKey(content), content]));
  return candidates.map((candidate) => ({ candidate, content: rows.get(postKey(candidate)) }));
}

/** A post of a page that was read with everything. */
export function storedPost(row: TimelinePost): StoredPost {
  if (row.cid === null) return { candidate: row, content: undefined };
  return { candidate: row, content: row, author: authorOf(row) };
}

export interface PostHydratorOptions {
  logger: Logger;
  counter: HydrationCounter;
  /** Where records are asked for instead of in the database. */
  records?: NodeRecords | undefined;
}

/**
 * Completes posts, those of one turn of the event loop together. A post whose record cannot be had is left out like
 * one that fails: only the signed record says who may see it.
 */
export function createPostHydrator({
  logger,
  counter,
  records,
}: PostHydratorOptions): PostHydrator {
  const recordOf = records ? recordsFrom(records) : storedRecord;
  return async ({ candidate, content }) => {
    const verified = content && (await verify(candidate, content, recordOf));
    if (typeof verified === 'object') return verified;
    const { uri, node } = candidate;
    if (verified !== 'unavailable') counter.refused += 1;
    logger.warn({ uri, node, reason: verified ?? 'gone' }, 'record not served');
    return undefined;
  };
}

type RecordOf = (row: PostContent) => Promise<FoundRecord>;

async function verify(
  candidate: Candidate,
  row: PostContent,
  recordOf: RecordOf,
): Promise<HydratedPost | string> {
  if (row.cid !== candidate.cid) return 'changed';
  if (row.stubCid !== null && row.stubCid !== row.cid) return 'not-what-the-stub-names';
  const { uri, node, cid, indexedAt } = row;
  const found = await recordOf(row);
  return 'value' in found ? { uri, node, cid, value: found.value, indexedAt } : found.reason;
}

/** Asks nodes for what is hydrated in the same turn at once. */
function recordsFrom(records: NodeRecords): RecordOf {
  const loader = new DataLoader<PostContent, FoundRecord>((rows) => records.load(rows), {
    cache: false,
  });
  return (row) => loader.load(row);
}

async function storedRecord(row: PostContent): Promise<FoundRecord> {
  try {
    return { value: await readRecord(row) };
  } catch (error) {
    if (error instanceof ProofError) return { reason: error.reason };
    throw error;
  }
}

/** Records that were verified, with the bytes that were: these need not be verified again. */
const verified = new LRUCache<Cid, { bytes: Uint8Array; value: RecordValue }>({
  maxSize: VERIFIED_BYTES,
  sizeCalculation: ({ bytes }) => bytes.length + 1,
});

async function readRecord({ record: bytes, cid }: PostContent): Promise<RecordValue> {
  const known = verified.get(cid);
  if (known && Buffer.compare(known.bytes, bytes) === 0) return known.value;
  const value = await decodeRecord(bytes, cid);
  verified.set(cid, { bytes, value });
  return value;
}

/** What identifies a post, as the key of a map. */
export function postKey({ uri, node }: { uri: AtUri; node: Did }): string {
  return `${node} ${uri}`;
}
