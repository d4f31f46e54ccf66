import type { Cid as CidLink } from '@atproto/lex-data';
import { ProofError } from '../errors.ts';
import {
  type AtUri,
  type Cid,
  type Did,
  type DidKey,
  isAtUri,
  parseAtUri,
  type Tid,
} from '../identifiers.ts';
import { tidTime } from '../tid.ts';
import { type CidBytes, textOf } from '../tree/cid-bytes.ts';
import { type BlockSource, readBlock } from './block-source.ts';
import { readRepoCommit, signerOf } from './repo-commit.ts';
import { type WalkTreeOptions, walkTree } from './walk-tree.ts';

/** How far ahead of our clock a revision may be. */
const FUTURE_TOLERANCE_MS = 5 * 60_000;

/** A repo at one revision, of which the signature is proven. */
export interface SignedRepo {
  did: Did;
  rev: Tid;
  commit: Cid;
  /** The commit itself. */
  block: Uint8Array;
  /** Root of its tree. */
  data: CidBytes;
  /** The key that signed it. */
  signingKey: DidKey;
}

export interface OpenRepoOptions {
  did: Did;
  /** By one of which it must be signed. */
  signingKeys: readonly DidKey[];
  now?: Date;
}

/** A record that is proven to be in a repo. What it says is not looked at. */
export interface RepoRecord {
  uri: AtUri;
  collection: string;
  rkey: string;
  cid: Cid;
  cidBytes: CidBytes;
  /** How high above the leaves of the tree it is. */
  layer: number;
  bytes: Uint8Array;
}

/**
 * Proves the commit of a repo to be the person's.
 *
 * @param root - of the CAR, or wherever the blocks come from
 * @throws {@link ProofError}
 */
export async function openRepo(
  blocks: BlockSource,
  root: CidLink,
  { did, signingKeys, now = new Date() }: OpenRepoOptions,
): Promise<SignedRepo> {
  const commit = await readRepoCommit(blocks, root);
  if (commit.did !== did) throw new ProofError('wrong-actor', 'the commit is of another repo');
  const signingKey = signerOf(commit, signingKeys);
  if (!signingKey) {
    throw new ProofError('bad-signature', "the commit is not signed by the person's key");
  }
  if (tidTime(commit.rev).getTime() > now.getTime() + FUTURE_TOLERANCE_MS) {
    throw new ProofError('in-the-future', 'the revision is of the future');
  }
  const { rev, block, data } = commit;
  return { did, rev, commit: textOf(root.bytes), block, data: data.bytes, signingKey };
}

/**
 * The records of a repo, in the order of their keys, one in memory at a time. When it ends without an
 * error, these were all.
 *
 * @throws {@link ProofError} when anything of the tree or of the records is missing or another
 */
export async function* repoRecords(
  blocks: BlockSource,
  { did, data }: Pick<SignedRepo, 'did' | 'data'>,
  options: WalkTreeOptions = {},
): AsyncGenerator<RepoRecord, void> {
  for await (const { key, value, layer } of walkTree(blocks, data, options)) {
    const uri = `at://${did}/${key}`;
    if (!isAtUri(uri)) throw new ProofError('malformed', 'an entry has no valid path');
    const { collection, rkey } = parseAtUri(uri);
    const bytes = await readBlock(blocks, value);
    yield { uri, collection, rkey, cid: textOf(value), cidBytes: value, layer, bytes };
  }
}
