import type { Boundary, Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import type { Transaction } from './transaction.ts';

/** How many posts there are to read in a boundary, counted up to a limit. */
export interface BoundaryCount {
  boundary: Boundary;
  posts: number;
}

/**
 * Posts in each of some boundaries, in their order.
 *
 * Reads at most `limit` index entries of each.
 */
export function countPosts(
  transaction: Transaction,
  { boundaries, limit }: { boundaries: Iterable<Boundary>; limit: number },
): Promise<BoundaryCount[]> {
  return transaction.$queryRaw<BoundaryCount[]>(Prisma.sql`
    select scope.boundary, counted.posts
    from unnest(${[...boundaries]}::text[]) with ordinality as scope(boundary, place)
    cross join lateral (
      select count(*)::int as posts from (
        select from stratos_post_boundary pb
        where pb.boundary = scope.boundary
        order by pb.sort_at desc, pb.uri desc
        limit ${limit}
      ) as newest
    ) as counted
    order by scope.place`);
}

/** How many posts of somebody there are to read in a boundary, counted up to a limit. */
export interface AuthorCount extends BoundaryCount {
  author: Did;
}

/**
 * Posts of each of some authors in each of some boundaries, in their order; nothing where there is none.
 *
 * Reads at most `limit` index entries for each author and boundary.
 */
export function countAuthorPosts(
  transaction: Transaction,
  input: { authors: Iterable<Did>; boundaries: Iterable<Boundary>; limit: number },
): Promise<AuthorCount[]> {
  return transaction.$queryRaw<AuthorCount[]>(Prisma.sql`
    select wanted.author, scope.boundary, counted.posts
    from unnest(${[...input.authors]}::text[]) with ordinality as wanted(author, place)
    cross join unnest(${[...input.boundaries]}::text[]) with ordinality as scope(boundary, place)
    cross join lateral (
      select count(*)::int as posts from (
        select from stratos_post_boundary pb
        where pb.boundary = scope.boundary and pb.did = wanted.author
        order by pb.sort_at desc, pb.uri desc
        limit ${input.limit}
      ) as newest
    ) as counted
    where counted.posts > 0
    order by wanted.place, scope.place`);
}
