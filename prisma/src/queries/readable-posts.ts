import type { AtUri, Boundary, Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import type { FoundPost } from './found-post.ts';
import type { Transaction } from './transaction.ts';

/** A post, and where it may be read. */
export interface ReadablePost extends FoundPost {
  /** Those of the boundaries for which the transaction was opened. */
  readers: Boundary[];
}

/**
 * Those of some posts that may be read in a boundary for which the transaction was opened, in no order.
 *
 * Two probes for each, by equality.
 */
export function readablePosts(
  transaction: Transaction,
  posts: Iterable<{ uri: AtUri; node: Did }>,
): Promise<ReadablePost[]> {
  const wanted = [...posts];
  const uris = wanted.map(({ uri }) => uri);
  const nodes = wanted.map(({ node }) => node);
  return transaction.$queryRaw<ReadablePost[]>(Prisma.sql`
    select p.sort_at as "sortAt", p.uri, p.node_did as node, p.cid, r.readers
    from unnest(${uris}::text[], ${nodes}::text[]) as wanted(uri, node_did)
    cross join lateral (
      select array_agg(pb.boundary order by pb.boundary) as readers
      from stratos_post_boundary pb
      where pb.uri = wanted.uri and pb.node_did = wanted.node_did
    ) as r
    join stratos_post p on p.uri = wanted.uri and p.node_did = wanted.node_did
    where r.readers is not null`);
}
