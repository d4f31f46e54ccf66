import { encode } from '@atproto/lex-cbor';
import { type Cid as CidLink, ifCid } from '@atproto/lex-data';
import { ProofError } from '../errors.ts';
import { type Did, type DidKey, isDid, isTid, type Tid } from '../identifiers.ts';
import { decodeCanonicalMap } from '../record.ts';
import { verifySignature } from '../signing-key.ts';
import { type BlockSource, readBlock } from './block-source.ts';

const FIELDS = ['data', 'did', 'prev', 'rev', 'sig', 'version'].join();

/** A commit as it is read, by whomever it is signed. */
export interface RepoCommit {
  cid: CidLink;
  did: Did;
  rev: Tid;
  /** Root of the tree. */
  data: CidLink;
  block: Uint8Array;
  sig: Uint8Array;
  /** What is signed. */
  signed: Uint8Array;
}

/**
 * Reads the commit of a repo, see https://atproto.com/specs/repository#commit-objects.
 *
 * @throws {@link ProofError} `not-included`, `wrong-cid`, `not-canonical` or `malformed`
 */
export async function readRepoCommit(blocks: BlockSource, cid: CidLink): Promise<RepoCommit> {
  const block = await readBlock(blocks, cid.bytes);
  const commit = decodeCanonicalMap(block);
  const { sig, ...unsigned } = commit;
  const { did, rev, version, prev } = unsigned;
  const data = ifCid(unsigned['data'], { flavor: 'cbor' });
  const isComplete = Object.keys(commit).sort().join() === FIELDS && version === 3;
  if (!isComplete || !isPrevious(prev) || !data || !(sig instanceof Uint8Array)) {
    throw new ProofError('malformed', 'not a commit of version 3');
  }
  if (!isDid(did) || !isTid(rev)) {
    throw new ProofError('malformed', 'an identifier of the commit is not of its syntax');
  }
  return { cid, block, did, rev, data, sig, signed: encode(unsigned) };
}

/** The key that signed a commit, of those that may have. */
export function signerOf({ signed, sig }: RepoCommit, keys: readonly DidKey[]): DidKey | undefined {
  return keys.find((key) => verifySignature(key, signed, sig));
}

function isPrevious(prev: unknown): boolean {
  return prev === null || ifCid(prev, { flavor: 'cbor' }) !== null;
}
