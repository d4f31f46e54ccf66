import {
  type Did,
  decodeRecord,
  InvalidBoundaryError,
  ProofError,
  recordBoundaries,
  type VerifiedOp,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import {
  type AcceptedPost,
  buryPosts,
  judgePost,
  type PostContext,
  removePosts,
  writePosts,
} from '../applying/apply-post.ts';
import { recordRefusal } from '../applying/refusal.ts';
import { readStanding, writeHead } from '../applying/standing.ts';
import { lockActorAtNode, type Transaction } from '../database.ts';
import { refreshReaders } from '../visibility/readers.ts';
import { checkOrder, type RepoRecord, type VerifiedRepo } from './verify-repo.ts';

const POSTS_PER_STATEMENT = 100;

export interface FetchedRepo {
  nodeDid: Did;
  repo: VerifiedRepo;
  /** How often the repo had been asked for before it was fetched. */
  asked: number;
}

/**
 * Puts a proven repo in the place of what we have of it: what is gone is buried, what is new or changed
 * is written, and the head moves.
 *
 * A repo does not say which boundaries its author held when a record was written, so a record that we
 * had not proven by its own commit may be in those alone that the author holds now. What was proven
 * before, with the same CID, stays as it is.
 *
 * @returns true when the repo is as of now; false when it has to be fetched once more
 * @throws ProofError when the repo contradicts what was proven
 */
export async function applyRepo(tx: Transaction, fetched: FetchedRepo): Promise<boolean> {
  const { nodeDid, repo, asked } = fetched;
  const { did, rev } = repo;
  await lockActorAtNode(tx, did, nodeDid);
  const { member, head } = await readStanding(tx, did, nodeDid);
  if (!member?.active || member.signingKey !== repo.signingKey) return false;
  if (head && rev < head.rev) return false;
  checkOrder(repo, head);

  const allowed = new Set(member.boundaries);
  const refusals = await replacePosts(tx, repo.records, { did, nodeDid, rev, allowed });
  for (const reason of new Set(refusals)) {
    await recordRefusal(tx, { source: nodeDid, did, reason });
  }
  await writeHead(tx, nodeDid, repo);
  const { count } = await tx.resync.deleteMany({ where: { did, nodeDid, asked } });
  if (count === 0) {
    await tx.resync.updateMany({ where: { did, nodeDid }, data: { reason: 'not-continuous' } });
  }
  await refreshReaders(tx, did, nodeDid);
  return count > 0;
}

async function replacePosts(
  tx: Transaction,
  records: readonly RepoRecord[],
  context: PostContext,
): Promise<string[]> {
  const { did, nodeDid } = context;
  const posts = records.filter(({ collection }) => collection === zone.stratos.feed.post.$nsid);
  const select = { uri: true, cid: true };
  const stored = await tx.post.findMany({ select, where: { did, nodeDid } });
  const known = new Map(stored.map(({ uri, cid }) => [uri, cid]));

  const present = new Set<string>(posts.map(({ uri }) => uri));
  await buryPosts(
    tx,
    [...known.keys()].filter((uri) => !present.has(uri)),
    context,
  );
  const changed = posts.filter(({ uri, cid }) => known.get(uri) !== cid);
  const refusals: string[] = [];
  for (let i = 0; i < changed.length; i += POSTS_PER_STATEMENT) {
    refusals.push(...(await takeOver(tx, changed.slice(i, i + POSTS_PER_STATEMENT), context)));
  }
  return refusals;
}

async function takeOver(
  tx: Transaction,
  records: readonly RepoRecord[],
  context: PostContext,
): Promise<string[]> {
  const { nodeDid } = context;
  const accepted: AcceptedPost[] = [];
  const refusals: string[] = [];
  for (const record of records) {
    const { post, refused } = judgePost(await readRecord(record, nodeDid), context);
    if (post) accepted.push(post);
    if (refused) refusals.push(refused);
  }
  const taken = new Set<string>(accepted.map(({ uri }) => uri));
  const refused = records.map(({ uri }) => uri).filter((uri) => !taken.has(uri));
  await removePosts(tx, refused, nodeDid);
  await tx.postBoundary.deleteMany({ where: { uri: { in: [...taken] }, nodeDid } });
  await writePosts(tx, accepted, context);
  return refusals;
}

async function readRecord(
  { uri, rkey, cid, bytes }: RepoRecord,
  nodeDid: Did,
): Promise<Pick<VerifiedOp, 'uri' | 'rkey' | 'cid' | 'record' | 'flaw'>> {
  const at = { uri, rkey, cid };
  try {
    const value = await decodeRecord(bytes, cid);
    return { ...at, record: { bytes, value, boundaries: recordBoundaries(value, nodeDid) } };
  } catch (error) {
    if (error instanceof ProofError) return { ...at, record: undefined, flaw: error.reason };
    if (error instanceof InvalidBoundaryError) {
      return { ...at, record: undefined, flaw: 'wrong-boundary' };
    }
    throw error;
  }
}
