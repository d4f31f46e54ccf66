import { ProofError } from '../errors.ts';
import type { CidBytes } from '../tree/cid-bytes.ts';
import { isCidOf } from './block-cid.ts';

/** Where the blocks of a repo are: in memory, in a file, in a database. It need not be trusted. */
export interface BlockSource {
  /** The bytes that are kept under a CID, if any are. */
  get(cid: CidBytes): MaybeBytes | Promise<MaybeBytes>;
}

type MaybeBytes = Uint8Array | undefined;

/**
 * A block of a repo.
 *
 * @throws {@link ProofError} `not-included` when it is missing, `wrong-cid` when it is another
 */
export async function readBlock(blocks: BlockSource, cid: CidBytes): Promise<Uint8Array> {
  const bytes = await blocks.get(cid);
  if (!bytes) throw new ProofError('not-included', 'a block of the repo is missing');
  if (!isCidOf(cid, bytes)) throw new ProofError('wrong-cid', 'a block is not of its CID');
  return bytes;
}
