import { type Commit, def, MemoryBlockstore } from '@atproto/repo';
import {
  type AtUri,
  type Cid,
  type Did,
  type DidKey,
  encodeBlock,
  InvalidIdentifierError,
  isAtUri,
  isTid,
  ProofError,
  parseAtUri,
  type RepoHead,
  type Tid,
  tidTime,
  toCid,
  verifySignature,
} from '@stratos/protocol';
import type { RepoCar } from './fetch-repo.ts';
import { readTree } from './repo-tree.ts';

/** As for single commits. */
const FUTURE_TOLERANCE_MS = 5 * 60_000;

export interface RepoRecord {
  uri: AtUri;
  collection: string;
  rkey: string;
  cid: Cid;
  bytes: Uint8Array;
}

/** All of a repo at one revision, proven by one signature. */
export interface VerifiedRepo {
  did: Did;
  rev: Tid;
  commit: Cid;
  data: Cid;
  /** The key that signed it. */
  signingKey: DidKey;
  records: RepoRecord[];
}

export interface VerifyRepoOptions {
  did: Did;
  /** The person's key at the node, from the node's membership log. */
  signingKey: DidKey;
  /** What was proven of the repo before. */
  previous: RepoHead | undefined;
  now?: Date;
}

/**
 * Checks that a fetched repo is the person's, whole, and not older than what is known. What its records
 * say is not looked at.
 *
 * @throws ProofError
 */
export async function verifyRepo(
  car: RepoCar,
  { did, signingKey, previous, now = new Date() }: VerifyRepoOptions,
): Promise<VerifiedRepo> {
  try {
    const commit = await readCommit(car);
    const { sig, ...unsigned } = commit;
    if (!verifySignature(signingKey, (await encodeBlock(unsigned)).bytes, sig)) {
      throw new ProofError('bad-signature', "the commit is not signed by the person's key");
    }
    if (commit.did !== did) throw new ProofError('wrong-actor', 'the commit is of another repo');
    const rev = checkRev(commit.rev, now);
    const data = toCid(commit.data.toString());
    checkOrder({ rev, data }, previous);
    const records = await readRecords(car, commit, did);
    return { did, rev, commit: toCid(car.root.toString()), data, signingKey, records };
  } catch (cause) {
    if (!(cause instanceof InvalidIdentifierError)) throw cause;
    throw new ProofError('malformed', 'an identifier is not of its syntax', { cause });
  }
}

/**
 * What is fetched must not be older than what was proven, nor another history of the same moment.
 *
 * @throws ProofError `not-increasing`
 */
export function checkOrder(fetched: RepoHead, known: RepoHead | undefined): void {
  if (!known || fetched.rev > known.rev) return;
  if (fetched.rev === known.rev && fetched.data === known.data) return;
  throw new ProofError('not-increasing', 'the repo is older than what was proven of it');
}

async function readCommit({ root, blocks }: RepoCar): Promise<Commit> {
  if (!blocks.has(root)) throw new ProofError('not-included', 'the commit is missing');
  try {
    return await new MemoryBlockstore(blocks).readObj(root, def.commit);
  } catch (cause) {
    throw new ProofError('malformed', 'not a commit', { cause });
  }
}

function checkRev(rev: string, now: Date): Tid {
  if (!isTid(rev)) throw new ProofError('malformed', 'the revision is none');
  if (tidTime(rev).getTime() > now.getTime() + FUTURE_TOLERANCE_MS) {
    throw new ProofError('in-the-future', 'the revision is of the future');
  }
  return rev;
}

async function readRecords({ blocks }: RepoCar, commit: Commit, did: Did): Promise<RepoRecord[]> {
  const leaves = await readTree(blocks, commit.data);
  return leaves.map(({ key, value }) => {
    const uri = `at://${did}/${key}`;
    if (!isAtUri(uri)) throw new ProofError('malformed', 'an entry has no valid path');
    const bytes = blocks.get(value);
    if (!bytes) throw new ProofError('not-included', 'a record is missing');
    const { collection, rkey } = parseAtUri(uri);
    return { uri, collection, rkey, cid: toCid(value.toString()), bytes };
  });
}
