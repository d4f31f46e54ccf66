import type { Boundary } from '@stratos/protocol';
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
