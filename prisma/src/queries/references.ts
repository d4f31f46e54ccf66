import type { AtUri, Boundary } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import { type FoundPost, newerThan, olderThan, type ScopedSlice } from './found-post.ts';
import type { Transaction } from './transaction.ts';

/** A slice of the posts that answer or quote a post. */
export interface ReferenceSlice extends ScopedSlice {
  subject: AtUri;
}

/**
 * Direct replies to a post in some boundaries, oldest first, each once.
 *
 * Reads at most `limit` rows of each boundary and `limit` posts, however many replies are elsewhere.
 */
export function replies(transaction: Transaction, slice: ReferenceSlice): Promise<FoundPost[]> {
  return transaction.$queryRaw<FoundPost[]>(
    mergeReferences(slice, {
      kind: 'reply',
      following: newerThan(Prisma.sql`r`, slice.after),
      direction: Prisma.sql`asc`,
    }),
  );
}

/**
 * Posts in some boundaries that quote a post, newest first, each once.
 *
 * Reads at most `limit` rows of each boundary and `limit` posts, however many quotes are elsewhere.
 */
export function quotes(transaction: Transaction, slice: ReferenceSlice): Promise<FoundPost[]> {
  return transaction.$queryRaw<FoundPost[]>(
    mergeReferences(slice, {
      kind: 'quote',
      following: olderThan(Prisma.sql`r`, slice.after),
      direction: Prisma.sql`desc`,
    }),
  );
}

interface ReferenceOrder {
  kind: 'reply' | 'quote';
  following: Prisma.Sql;
  direction: Prisma.Sql;
}

function mergeReferences(
  { subject, boundaries, limit }: ReferenceSlice,
  { kind, following, direction }: ReferenceOrder,
): Prisma.Sql {
  return Prisma.sql`
    with page as (
      select distinct found.sort_at, found.uri, found.node_did
      from unnest(${[...boundaries]}::text[]) as scope(boundary)
      cross join lateral (
        select r.sort_at, r.uri, r.node_did
        from stratos_post_reference r
        where r.boundary = scope.boundary and r.kind = ${kind} and r.subject = ${subject} ${following}
        order by r.sort_at ${direction}, r.uri ${direction}
        limit ${limit}
      ) as found
      order by found.sort_at ${direction}, found.uri ${direction}, found.node_did ${direction}
      limit ${limit}
    )
    select page.sort_at as "sortAt", page.uri, page.node_did as node, p.cid
    from page
    join stratos_post p on p.uri = page.uri and p.node_did = page.node_did
    order by page.sort_at ${direction}, page.uri ${direction}, page.node_did ${direction}`;
}

/** How many posts answer and quote a post, each counted up to a limit. */
export interface ReferenceCounts {
  subject: AtUri;
  replies: number;
  quotes: number;
}

/**
 * Replies and quotes of some posts in some boundaries, in the order of the posts.
 *
 * Reads at most `limit` index entries for each post, kind and boundary.
 */
export function countReferences(
  transaction: Transaction,
  input: { subjects: Iterable<AtUri>; boundaries: Iterable<Boundary>; limit: number },
): Promise<ReferenceCounts[]> {
  const boundaries = [...input.boundaries];
  const count = (kind: 'reply' | 'quote') => Prisma.sql`
    select count(*)::int from (
      select distinct found.uri, found.node_did
      from unnest(${boundaries}::text[]) as scope(boundary)
      cross join lateral (
        select r.uri, r.node_did
        from stratos_post_reference r
        where r.boundary = scope.boundary and r.kind = ${kind} and r.subject = wanted.uri
        order by r.sort_at, r.uri
        limit ${input.limit}
      ) as found
      limit ${input.limit}
    ) as counted`;
  return transaction.$queryRaw<ReferenceCounts[]>(Prisma.sql`
    select wanted.uri as subject, (${count('reply')}) as replies, (${count('quote')}) as quotes
    from unnest(${[...input.subjects]}::text[]) with ordinality as wanted(uri, place)
    order by wanted.place`);
}
