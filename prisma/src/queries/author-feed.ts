import type { Boundary, Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import { type FoundPost, newestFirst, type Slice } from './found-post.ts';
import { type MergedSlice, mergeBoundaries } from './merge-boundaries.ts';
import type { Transaction } from './transaction.ts';

/**
 * Posts of one author in the open scope or in one boundary in it, newest first, each once.
 *
 * Reads at most `limit` rows of each boundary besides those of {@link mergeBoundaries}, and `limit` posts, however
 * much is stored.
 */
export function authorFeed(
  transaction: Transaction,
  slice: MergedSlice & { author: Did },
): Promise<FoundPost[]> {
  const { direction } = newestFirst(Prisma.sql`page`, slice);
  return transaction.$queryRaw<FoundPost[]>(Prisma.sql`
    with ${mergeBoundaries(Prisma.sql`current_setting('stratos.scope', true)`, slice)}
    select page.sort_at as "sortAt", page.uri, page.node_did as node, p.cid
    from page
    left join stratos_post p on p.uri = page.uri and p.node_did = page.node_did
    order by page.sort_at ${direction}, page.uri ${direction}, page.node_did ${direction}`);
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
