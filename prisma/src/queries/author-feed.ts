import type { Boundary, Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import { type FoundPost, newestFirst, type ScopedSlice, type Slice } from './found-post.ts';
import { mergeBoundaries } from './merge-boundaries.ts';
import type { Transaction } from './transaction.ts';

/**
 * Posts of one author in some boundaries, newest first, each once.
 *
 * Reads at most `limit` rows of each boundary and `limit` posts, however much is stored.
 */
export function authorFeed(
  transaction: Transaction,
  { author, ...slice }: ScopedSlice & { author: Did },
): Promise<FoundPost[]> {
  return transaction.$queryRaw<FoundPost[]>(mergeBoundaries(slice, author));
}

/**
 * All posts of one author, newest first, for themselves alone; or those that are signed for one boundary.
 *
 * Reads `limit` posts; with a boundary, also the author's others in between.
 */
export function ownPosts(
  transaction: Transaction,
  { author, boundary, ...slice }: Slice & { author: Did; boundary?: Boundary | undefined },
): Promise<FoundPost[]> {
  const { following, direction } = newestFirst(Prisma.sql`p`, slice);
  const within = boundary ? Prisma.sql`and ${boundary} = any(p.boundaries)` : Prisma.empty;
  return transaction.$queryRaw<FoundPost[]>(Prisma.sql`
    select p.sort_at as "sortAt", p.uri, p.node_did as node, p.cid
    from stratos_post p
    where p.did = ${author} ${within} ${following}
    order by p.sort_at ${direction}, p.uri ${direction}, p.node_did ${direction}
    limit ${slice.limit}`);
}
