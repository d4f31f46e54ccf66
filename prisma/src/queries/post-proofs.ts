import type { AtUri, Cid, Did, DidKey } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import type { Transaction } from './transaction.ts';

/** What shows that a post is its author's. */
export interface StoredProof {
  uri: AtUri;
  node: Did;
  cid: Cid;
  /** DAG-CBOR. */
  record: Uint8Array;
  indexedAt: Date;
  /** A CAR with the commit, the way to the record, and that to others of the same commit. */
  car: Uint8Array;
  signingKey: DidKey;
  /** What the node states about the author, if the viewer shares all boundaries of theirs at the node. */
  entry: Uint8Array | null;
  /** What the stub on the author's PDS says, when it names this node. */
  stubCid: Cid | null;
}

/**
 * The proofs of those of some posts that are the viewer's, or all of whose boundaries are in the scope for which
 * the transaction was opened, in no order.
 *
 * A few probes for each, by equality.
 */
export function postProofs(
  transaction: Transaction,
  posts: Iterable<{ uri: AtUri; node: Did }>,
): Promise<StoredProof[]> {
  const wanted = [...posts];
  const uris = wanted.map(({ uri }) => uri);
  const nodes = wanted.map(({ node }) => node);
  return transaction.$queryRaw<StoredProof[]>(Prisma.sql`
    select wanted.uri, wanted.node_did as node, proof.cid, proof.record, proof.car, proof.entry,
      proof.indexed_at as "indexedAt", proof.signing_key as "signingKey", proof.stub_cid as "stubCid"
    from unnest(${uris}::text[], ${nodes}::text[]) as wanted(uri, node_did)
    cross join lateral stratos_post_proof(wanted.uri, wanted.node_did) as proof`);
}
