import { Prisma } from '@stratos/prisma';
import type { AtUri, Did } from '@stratos/protocol';
import { isAuthor } from '../access/reveal.ts';
import type { Scope } from '../access/scope.ts';
import type { Candidate, Transaction } from './skeleton.ts';

export interface PostQuery {
  uri: AtUri;
  /** Only the one that this node holds. */
  node?: Did | undefined;
}

/**
 * The posts at an address that the scope allows, the best first: that of the node which the stub on
 * the author's PDS names, then by the DID of the node.
 *
 * One probe for each boundary of the scope, by equality, whether there is such a post or not.
 */
export function postSkeleton(
  transaction: Transaction,
  scope: Scope,
  query: PostQuery,
): Promise<Candidate[]> {
  return transaction.$queryRaw<Candidate[]>(probe(scope, query));
}

export function probe(scope: Scope, { uri, node }: PostQuery): Prisma.Sql {
  const found = isAuthor(scope, uri)
    ? Prisma.sql`
      select p.uri, p.node_did from stratos_post p where p.uri = ${uri} and p.did = ${scope.viewer}`
    : Prisma.sql`
      select distinct pb.uri, pb.node_did
      from unnest(${[...scope.boundaries]}::text[]) as scope(boundary)
      cross join lateral (
        select pb.uri, pb.node_did
        from stratos_post_boundary pb
        where pb.uri = ${uri} and pb.boundary = scope.boundary
        limit 1
      ) as pb`;
  const ofNode = node ? Prisma.sql`where p.node_did = ${node}` : Prisma.empty;
  return Prisma.sql`
    select p.sort_at as "sortAt", p.uri, p.node_did as node, p.cid
    from (${found}) as found
    join stratos_post p on p.uri = found.uri and p.node_did = found.node_did
    left join stratos_stub s on s.uri = p.uri and s.node_did = p.node_did
    ${ofNode}
    order by s.uri is null, p.node_did`;
}
