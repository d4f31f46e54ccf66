import type { Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import { newestFirst, type ScopedSlice } from './found-post.ts';

/**
 * A page of the posts of some boundaries, or of one author in them. Each boundary contributes at most
 * one page, read from its own index in order, so the work depends on the page and not on what else is
 * stored.
 */
export function mergeBoundaries({ boundaries, ...slice }: ScopedSlice, author?: Did): Prisma.Sql {
  const { following, direction } = newestFirst(Prisma.sql`pb`, slice);
  const byAuthor = author ? Prisma.sql`and pb.did = ${author}` : Prisma.empty;
  return Prisma.sql`
    with page as (
      select distinct found.sort_at, found.uri, found.node_did
      from unnest(${[...boundaries]}::text[]) as scope(boundary)
      cross join lateral (
        select pb.sort_at, pb.uri, pb.node_did
        from stratos_post_boundary pb
        where pb.boundary = scope.boundary ${byAuthor} ${following}
        order by pb.sort_at ${direction}, pb.uri ${direction}
        limit ${slice.limit}
      ) as found
      order by found.sort_at ${direction}, found.uri ${direction}, found.node_did ${direction}
      limit ${slice.limit}
    )
    select page.sort_at as "sortAt", page.uri, page.node_did as node, p.cid
    from page
    left join stratos_post p on p.uri = page.uri and p.node_did = page.node_did
    order by page.sort_at ${direction}, page.uri ${direction}, page.node_did ${direction}`;
}
