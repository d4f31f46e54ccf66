import type { Boundary, Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import { newestFirst, type Slice } from './found-post.ts';

/** Boundaries from which on it is worth knowing how far a page reaches, before it is read. */
const MANY = 4;

export interface MergedSlice extends Slice {
  /** Only posts of this boundary, if it is one of them. */
  boundary?: Boundary | undefined;
  /** Only posts of this author. */
  author?: Did | undefined;
}

/**
 * Tables of a statement, of which `page` has a slice of the posts in some boundaries, each once: where they are, and
 * what the index knows of them.
 *
 * The first few rows of every boundary, which an index alone tells, say how far the page can reach at most.
 * Each boundary is read so far, and by one page at most, in the order of its own index. So the work depends on
 * the page, hardly on how many boundaries there are, and not on what else is stored.
 *
 * @param boundaries - separated by a space
 */
export function mergeBoundaries(
  boundaries: Prisma.Sql,
  { boundary, author, ...slice }: MergedSlice,
): Prisma.Sql {
  const { after, limit, reverse } = slice;
  const { following, direction } = newestFirst(Prisma.sql`pb`, slice);
  const [atLeast, atMost] = [Prisma.sql`>=`, Prisma.sql`<=`];
  const [toStart, toEnd] = reverse ? [atLeast, atMost] : [atMost, atLeast];
  const end = reverse ? Prisma.sql`'infinity'::timestamptz` : Prisma.sql`'-infinity'::timestamptz`;
  // The post at the position is among these, because the index does not know of nodes: it counts as one more.
  const nearby = after
    ? Prisma.sql`and (pb.sort_at, pb.uri) ${toStart} (${after.sortAt}::timestamptz, ${after.uri})`
    : Prisma.empty;
  const posts = Prisma.sql`
    from stratos_post_boundary pb
    where pb.boundary = scope.boundary ${author ? Prisma.sql`and pb.did = ${author}` : Prisma.empty}`;
  const inOrder = Prisma.sql`order by pb.sort_at ${direction}, pb.uri ${direction}`;
  return Prisma.sql`
    scope as materialized (
      select boundary from unnest(string_to_array(${boundaries}, ' ')) as boundary
      ${boundary ? Prisma.sql`where boundary = ${boundary}` : Prisma.empty}
    ), few as materialized (
      select case when count(*) < ${MANY} then 0 else 1 + 2 * ${limit} / count(*) end as rows
      from scope
    ), reach as materialized (
      select coalesce(max(last.sort_at), ${end}) as sort_at
      from (
        select distinct first.sort_at, first.uri
        from scope
        cross join lateral (
          select pb.sort_at, pb.uri ${posts} ${nearby} ${inOrder} limit (select rows from few)
        ) as first
        order by first.sort_at ${direction}, first.uri ${direction}
        offset ${limit} limit 1
      ) as last
    ), page as (
      select distinct found.sort_at, found.uri, found.node_did, found.did, found.cid, found.indexed_at
      from scope
      cross join lateral (
        select pb.sort_at, pb.uri, pb.node_did, pb.did, pb.cid, pb.indexed_at ${posts} ${following}
          and pb.sort_at ${toEnd} (select sort_at from reach)
        ${inOrder}
        limit ${limit}
      ) as found
      order by found.sort_at ${direction}, found.uri ${direction}, found.node_did ${direction}
      limit ${limit}
    )`;
}
