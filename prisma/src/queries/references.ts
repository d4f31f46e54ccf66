import type { AtUri, Boundary } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import {
  type FoundPost,
  newestFirst,
  oldestFirst,
  type ScopedSlice,
  type Walk,
} from './found-post.ts';
import type { Transaction } from './transaction.ts';

/** For each of some posts, a slice of the posts that answer or quote it. */
export interface ReferenceSlice extends ScopedSlice {
  subjects: Iterable<AtUri>;
}

/** A post that answers or quotes another. */
export interface FoundReference extends FoundPost {
  subject: AtUri;
}

/**
 * Direct replies to each of some posts in some boundaries, oldest first, each once for its subject.
 *
 * Reads at most `limit` rows of each boundary and `limit` posts for each subject, however many replies are
 * elsewhere.
 */
export function replies(
  transaction: Transaction,
  slice: ReferenceSlice,
): Promise<FoundReference[]> {
  const walk = oldestFirst(Prisma.sql`r`, slice);
  return transaction.$queryRaw<FoundReference[]>(mergeReferences('reply', slice, walk));
}

/**
 * Posts in some boundaries that quote each of some posts, newest first, each once for its subject.
 *
 * Reads at most `limit` rows of each boundary and `limit` posts for each subject, however many quotes are
 * elsewhere.
 */
export function quotes(transaction: Transaction, slice: ReferenceSlice): Promise<FoundReference[]> {
  const walk = newestFirst(Prisma.sql`r`, slice);
  return transaction.$queryRaw<FoundReference[]>(mergeReferences('quote', slice, walk));
}

function mergeReferences(
  kind: 'reply' | 'quote',
  { subjects, boundaries, limit }: ReferenceSlice,
  { following, direction }: Walk,
): Prisma.Sql {
  return Prisma.sql`
    select wanted.uri as subject, page.sort_at as "sortAt", page.uri, page.node_did as node, p.cid
    from unnest(${[...subjects]}::text[]) with ordinality as wanted(uri, place)
    cross join lateral (
      select distinct found.sort_at, found.uri, found.node_did
      from unnest(${[...boundaries]}::text[]) as scope(boundary)
      cross join lateral (
        select r.sort_at, r.uri, r.node_did
        from stratos_post_reference r
        where r.boundary = scope.boundary and r.kind = ${kind} and r.subject = wanted.uri ${following}
        order by r.sort_at ${direction}, r.uri ${direction}
        limit ${limit}
      ) as found
      order by found.sort_at ${direction}, found.uri ${direction}, found.node_did ${direction}
      limit ${limit}
    ) as page
    left join stratos_post p on p.uri = page.uri and p.node_did = page.node_did
    order by wanted.place, page.sort_at ${direction}, page.uri ${direction}, page.node_did ${direction}`;
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
