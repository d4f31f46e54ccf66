import { type PostContent, postContents } from '@stratos/prisma/queries';
import { type AtUri, type Cid, type Did, decodeRecord, ProofError } from '@stratos/protocol';
import type { Candidate, Transaction } from '../feeds/skeleton.ts';
import type { Logger } from '../logger.ts';

type RecordValue = Awaited<ReturnType<typeof decodeRecord>>;

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
  const rows = new Map(contents.map((content) => [keyOf(content), content]));
  return candidates.map((candidate) => ({ candidate, content: rows.get(keyOf(candidate)) }));
}

export function createPostHydrator(logger: Logger, counter: HydrationCounter): PostHydrator {
  return async ({ candidate, content }) => {
    const verified = content && (await verify(candidate, content));
    if (typeof verified === 'object') return verified;
    counter.refused += 1;
    const { uri, node } = candidate;
    logger.warn({ uri, node, reason: verified ?? 'gone' }, 'record not served');
    return undefined;
  };
}

async function verify(candidate: Candidate, row: PostContent): Promise<HydratedPost | string> {
  if (row.cid !== candidate.cid) return 'changed';
  if (row.stubCid !== null && row.stubCid !== row.cid) return 'not-what-the-stub-names';
  try {
    const value = await decodeRecord(row.record, row.cid);
    return { uri: row.uri, node: row.node, cid: row.cid, value, indexedAt: row.indexedAt };
  } catch (error) {
    if (error instanceof ProofError) return error.reason;
    throw error;
  }
}

function keyOf({ uri, node }: { uri: AtUri; node: Did }): string {
  return `${node} ${uri}`;
}
