import { Prisma } from '@stratos/prisma';
import type { AtUri, Boundary, Cid, Did } from '@stratos/protocol';

export type Transaction = Prisma.TransactionClient;

/** A place in a feed: feeds are ordered by these three, descending. */
export interface Position {
  sortAt: Date;
  uri: AtUri;
  node: Did;
}

/** A post that a query found for a viewer. Not yet verified, and not yet visible. */
export interface Candidate extends Position {
  cid: Cid;
}

export interface Slice {
  after: Position | undefined;
  limit: number;
}

/** The rows after a position. */
export function following(table: Prisma.Sql, after: Position | undefined): Prisma.Sql {
  if (!after) return Prisma.empty;
  const { sortAt, uri, node } = after;
  return Prisma.sql`and (${table}.sort_at, ${table}.uri, ${table}.node_did)
    < (${sortAt}::timestamptz, ${uri}, ${node})`;
}

/**
 * A page of the posts of some boundaries. Each boundary contributes at most one page, read from its
 * own index in order, so the work depends on the page and not on what else is stored.
 */
export function mergeBoundaries(
  boundaries: Iterable<Boundary>,
  author: Did | undefined,
  { after, limit }: Slice,
): Prisma.Sql {
  const byAuthor = author ? Prisma.sql`and pb.did = ${author}` : Prisma.empty;
  return Prisma.sql`
    with page as (
      select distinct found.sort_at, found.uri, found.node_did
      from unnest(${[...boundaries]}::text[]) as scope(boundary)
      cross join lateral (
        select pb.sort_at, pb.uri, pb.node_did
        from stratos_post_boundary pb
        where pb.boundary = scope.boundary ${byAuthor}
          ${following(Prisma.sql`pb`, after)}
        order by pb.sort_at desc, pb.uri desc
        limit ${limit}
      ) as found
      order by found.sort_at desc, found.uri desc, found.node_did desc
      limit ${limit}
    )
    select page.sort_at as "sortAt", page.uri, page.node_did as node, p.cid
    from page
    join stratos_post p on p.uri = page.uri and p.node_did = page.node_did
    order by page.sort_at desc, page.uri desc, page.node_did desc`;
}
