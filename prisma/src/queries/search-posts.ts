import { Prisma } from '../../generated/client.ts';
import type { FoundPost, ScopedSlice } from './found-post.ts';
import type { Transaction } from './transaction.ts';

export interface FoundWords extends FoundPost {
  /** How much of the post is about the words, for whoever wants to order a page by it. */
  rank: number;
}

/**
 * Posts of some boundaries that have all words of a text, newest first, each once. Only those of the
 * boundaries for which the transaction was opened (`stratos.scope`) count.
 *
 * Words are compared in lower case and otherwise as written: “running” does not find “run”, and “cafe”
 * does not find “café”. A text without a word finds nothing.
 *
 * The order is that of time alone, and exact: `rank` says how much of a post is about the words, and orders
 * nothing across pages. Whoever sorts a page by it has the best of this page and not of all.
 *
 * What many posts have is found by walking the boundaries from the newest on, 3,000 posts in all; what few
 * have, by an index that knows the words of each boundary for itself. So the work depends on nothing outside
 * of these boundaries. In a boundary where fewer than one in sixteen of the newest has the words, all posts
 * that have them may be read, which are many only if the words were common once and are no more.
 */
export function searchPosts(
  transaction: Transaction,
  { boundaries, words, after, limit }: Omit<ScopedSlice, 'reverse'> & { words: string },
): Promise<FoundWords[]> {
  const { sortAt = null, uri = null, node = null } = after ?? {};
  return transaction.$queryRaw<FoundWords[]>(Prisma.sql`
    select page.sort_at as "sortAt", page.uri, page.node_did as node, p.cid,
      ts_rank(to_tsvector('simple', p.text), plainto_tsquery('simple', ${words})) as rank
    from stratos_search(${[...boundaries]}::text[], ${words}, ${sortAt}::timestamptz, ${uri}::text,
      ${node}::text, ${limit}::int) as page
    left join stratos_post p on p.uri = page.uri and p.node_did = page.node_did
    order by page.sort_at desc, page.uri desc, page.node_did desc`);
}
