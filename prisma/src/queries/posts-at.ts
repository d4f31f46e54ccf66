import type { AtUri, Boundary, Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import type { FoundPost } from './found-post.ts';
import type { Transaction } from './transaction.ts';

/**
 * The posts at some addresses that are in some boundaries, in the order of the addresses. Where several
 * nodes hold one, that of the node which the stub on the author's PDS names is first, the others by the
 * DID of the node.
 *
 * One probe for each address and boundary, by equality, whether there is such a post or not.
 */
export function postsAt(
  transaction: Transaction,
  { uris, boundaries }: { uris: Iterable<AtUri>; boundaries: Iterable<Boundary> },
): Promise<FoundPost[]> {
  return transaction.$queryRaw<FoundPost[]>(Prisma.sql`
    select p.sort_at as "sortAt", p.uri, p.node_did as node, p.cid
    from (
      select distinct wanted.place, pb.uri, pb.node_did
      from unnest(${[...uris]}::text[]) with ordinality as wanted(uri, place)
      cross join unnest(${[...boundaries]}::text[]) as scope(boundary)
      cross join lateral (
        select pb.uri, pb.node_did
        from stratos_post_boundary pb
        where pb.uri = wanted.uri and pb.boundary = scope.boundary
        limit 1
      ) as pb
    ) as found
    join stratos_post p on p.uri = found.uri and p.node_did = found.node_did
    left join stratos_stub s on s.uri = p.uri and s.node_did = p.node_did
    order by found.place, s.uri is null, p.node_did`);
}

/**
 * The posts at addresses of one author, for themselves alone, ordered as by {@link postsAt}. Addresses of
 * somebody else are not looked up.
 */
export function ownPostsAt(
  transaction: Transaction,
  { uris, author }: { uris: Iterable<AtUri>; author: Did },
): Promise<FoundPost[]> {
  return transaction.$queryRaw<FoundPost[]>(Prisma.sql`
    select p.sort_at as "sortAt", p.uri, p.node_did as node, p.cid
    from unnest(${[...uris]}::text[]) with ordinality as wanted(uri, place)
    join stratos_post p on p.uri = wanted.uri and starts_with(wanted.uri, ${`at://${author}/`})
    left join stratos_stub s on s.uri = p.uri and s.node_did = p.node_did
    order by wanted.place, s.uri is null, p.node_did`);
}
