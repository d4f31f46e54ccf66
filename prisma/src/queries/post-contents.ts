import type { AtUri, Cid, Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import type { Transaction } from './transaction.ts';

/** What there is at the address of a post. */
export interface PostVersion {
  uri: AtUri;
  node: Did;
  cid: Cid;
  indexedAt: Date;
  /** What the stub on the author's PDS names instead, when it names this node. */
  stubCid: string | null;
}

/** The content of a post, to be verified against its CID by whoever serves it. */
export interface PostContent extends PostVersion {
  /** DAG-CBOR. */
  record: Uint8Array;
}

/**
 * The contents of posts that were found before, in no order; nothing for what is gone.
 *
 * Two probes for each, by equality.
 */
export function postContents(
  transaction: Transaction,
  posts: Iterable<{ uri: AtUri; node: Did }>,
): Promise<PostContent[]> {
  const wanted = [...posts];
  const uris = wanted.map(({ uri }) => uri);
  const nodes = wanted.map(({ node }) => node);
  return transaction.$queryRaw<PostContent[]>(Prisma.sql`
    select p.uri, p.node_did as node, p.cid, p.record, p.indexed_at as "indexedAt",
      nullif(s.subject_cid, p.cid) as "stubCid"
    from unnest(${uris}::text[], ${nodes}::text[]) as wanted(uri, node_did)
    join stratos_post p on p.uri = wanted.uri and p.node_did = wanted.node_did
    left join stratos_stub s on s.uri = p.uri and s.node_did = p.node_did`);
}
