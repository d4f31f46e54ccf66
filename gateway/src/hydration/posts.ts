import {
  type PostContent,
  type PostVersion,
  postContents,
  type TimelinePost,
} from '@stratos/prisma/queries';
import { type AtUri, type Cid, type Did, decodeRecord, ProofError } from '@stratos/protocol';
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import type { ScopedRead } from '../access/scope.ts';
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

/** A post that was found, and what there was of it as of the same transaction. Not yet verified. */
export interface StoredPost {
  candidate: Candidate;
  /** Without a record, this is the one in memory that has the CID, or is still to be read. */
  content: PostContent | (PostVersion & { record?: never }) | undefined;
  /** Where they were read with it. */
  author?: Author;
}

/** Records that were not served because they are not what was proven when they came in. */
export interface HydrationCounter {
  refused: number;
}

/** Undefined for a post that fails verification, `unavailable` when its node cannot be asked for the record. */
export type Hydrated = HydratedPost | 'unavailable' | undefined;

/** Verifies a post anew: at once where it is in memory, which is most of a page. */
export type PostHydrator = (post: StoredPost) => Hydrated | Promise<Hydrated>;

/** Reads the contents of posts in the transaction that found them. */
export async function readPosts(
  transaction: Transaction,
  candidates: readonly Candidate[],
): Promise<StoredPost[]> {
  if (candidates.length === 0) return [];
  const contents = await postContents(transaction, candidates);
  const rows = new Map(contents.map((content) => [postKey(content), content]));
  return candidates.map((candidate) => {
    const content = rows.get(postKey(candidate));
    return { candidate, content: content?.cid === candidate.cid ? content : undefined };
  });
}

/** A post of a page that was read with everything but the records. */
export function storedPost(row: TimelinePost): StoredPost {
  return { candidate: row, content: row, author: authorOf(row) };
}

export interface PostHydratorOptions {
  logger: Logger;
  counter: HydrationCounter;
  /** Where records are asked for instead of in the database. */
  records?: NodeRecords | undefined;
  /** How records are read that did not come with a post. */
  read?: ScopedRead;
}

/** Completes posts, those of one turn of the event loop together. */
export function createPostHydrator({
  logger,
  counter,
  records,
  read,
}: PostHydratorOptions): PostHydrator {
  const hydrate = records ? hydrateFrom(records) : hydrateStored(read);
  const settle = ({ uri, node }: Candidate, found: HydratedPost | string | undefined): Hydrated => {
    if (typeof found === 'object') return found;
    logger.warn({ uri, node, reason: found ?? 'gone' }, 'record not served');
    if (found === 'unavailable') return found;
    counter.refused += 1;
    return undefined;
  };
  return ({ candidate, content }) => {
    const found = content && hydrate(content);
    return found instanceof Promise
      ? found.then((post) => settle(candidate, post))
      : settle(candidate, found);
  };
}

/** A post, or why it is not served; undefined when it is gone. */
type Hydrate = (
  content: NonNullable<StoredPost['content']>,
) => HydratedPost | string | undefined | Promise<HydratedPost | string | undefined>;

/** Asks nodes for what is hydrated in the same turn at once. */
function hydrateFrom(records: NodeRecords): Hydrate {
  const loader = new DataLoader<PostVersion, FoundRecord>((rows) => records.load(rows), {
    cache: false,
  });
  return (version) =>
    refusalOf(version) ?? loader.load(version).then((found) => hydrated(version, found));
}

/**
 * Reads what is in no memory, all of the same turn at once. What has a newer version by then is not served: the
 * scope that found the post is of before, when the viewer may have read in boundaries that they have lost since.
 */
function hydrateStored(read: ScopedRead | undefined): Hydrate {
  const loader = new DataLoader<PostVersion, PostContent | undefined>(
    async (rows) => {
      const contents = (await read?.((transaction) => postContents(transaction, rows))) ?? [];
      const found = new Map(contents.map((content) => [postKey(content), content]));
      return rows.map((row) => found.get(postKey(row)));
    },
    { cache: false },
  );
  const fromRow = async (row: PostContent | undefined) =>
    row && (refusalOf(row) ?? hydrated(row, await storedRecord(row)));
  return (content) => {
    if (content.record) return fromRow(content);
    const known = verified.get(versionKey(content));
    return known
      ? (refusalOf(content) ?? hydrated(content, known))
      : loader.load(content).then((row) => (row?.cid === content.cid ? fromRow(row) : 'changed'));
  };
}

/** Why there is no need to look at the record. */
function refusalOf({ cid, stubCid }: PostVersion): string | undefined {
  return stubCid !== null && stubCid !== cid ? 'not-what-the-stub-names' : undefined;
}

function hydrated(
  { uri, node, cid, indexedAt }: PostVersion,
  found: FoundRecord,
): HydratedPost | string {
  return 'value' in found ? { uri, node, cid, value: found.value, indexedAt } : found.reason;
}

async function storedRecord(row: PostContent): Promise<FoundRecord> {
  try {
    return { value: await readRecord(row) };
  } catch (error) {
    if (error instanceof ProofError) return { reason: error.reason };
    throw error;
  }
}

/** Records that were verified, with the bytes that were: these need not be verified again at their address. */
const verified = new LRUCache<string, { bytes: Uint8Array; value: RecordValue }>({
  maxSize: VERIFIED_BYTES,
  sizeCalculation: ({ bytes }) => bytes.length + 1,
});

async function readRecord(content: PostContent): Promise<RecordValue> {
  const { record: bytes, cid } = content;
  const key = versionKey(content);
  const known = verified.get(key);
  if (known && Buffer.compare(known.bytes, bytes) === 0) return known.value;
  const value = await decodeRecord(bytes, cid);
  verified.set(key, { bytes, value });
  return value;
}

/** A row that was given the CID of another post is not taken for that one. */
function versionKey(version: PostVersion): string {
  return `${version.cid} ${postKey(version)}`;
}

/** What identifies a post, as the key of a map. */
export function postKey({ uri, node }: { uri: AtUri; node: Did }): string {
  return `${node} ${uri}`;
}
