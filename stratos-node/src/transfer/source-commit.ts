import { encode } from '@atproto/lex-cbor';
import { type Cid as CidLink, decodeCid, ifCid, type LexMap } from '@atproto/lex-data';
import { type Did, type DidKey, decodeCanonicalMap, verifySignature } from '@stratos/protocol';
import { invalidCar } from './car-reader.ts';
import type { ImportSpool } from './import-spool.ts';

const FIELDS = ['data', 'did', 'prev', 'rev', 'sig', 'version'];

/**
 * The root of the tree of a CAR's commit, once it is proven to be the person's.
 *
 * @param keys - by one of which it must be signed
 * @throws `InvalidCar`
 */
export function sourceTree(
  spool: Pick<ImportSpool, 'block'>,
  root: Uint8Array,
  { did, keys }: { did: Did; keys: readonly DidKey[] },
): CidLink {
  const bytes = spool.block(root);
  if (!bytes) throw invalidCar('the commit is missing');
  const commit = commitOf(bytes);
  const { sig, ...unsigned } = commit;
  if (commit['did'] !== did) throw invalidCar('the CAR is of the repo of somebody else');
  const signed = encode(unsigned);
  if (!(sig instanceof Uint8Array) || !keys.some((key) => verifySignature(key, signed, sig))) {
    throw invalidCar('the commit is not signed by the key that the source attests');
  }
  const data = ifCid(commit['data']);
  if (!data) throw invalidCar('not a commit');
  return decodeCid(data.bytes);
}

function commitOf(bytes: Uint8Array): LexMap {
  let commit: LexMap;
  try {
    commit = decodeCanonicalMap(bytes);
  } catch (cause) {
    throw invalidCar('not a commit', cause);
  }
  const isComplete = Object.keys(commit).sort().join() === FIELDS.join();
  if (!isComplete || commit['version'] !== 3) throw invalidCar('not a commit of version 3');
  return commit;
}
