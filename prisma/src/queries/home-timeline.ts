import type { Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import { newestFirst, type Position } from './found-post.ts';
import { type MergedSlice, mergeBoundaries } from './merge-boundaries.ts';
import { openedScope } from './open-scope.ts';
import type { PostVersion } from './post-contents.ts';
import type { Transaction } from './transaction.ts';

/** What is known of the account of an author. */
export interface AuthorRow {
  /** Null while none is verified. */
  handle: string | null;
  /** Null of an account of which nothing is known. */
  active: boolean | null;
}

/** A place in a timeline, which post is there, and its author. */
export type TimelinePost = Position & PostVersion & AuthorRow;

export interface Timeline {
  /** Those that are open to the viewer, separated by a space. */
  scope: string;
  posts: TimelinePost[];
}

/** The first one has the scope. Without a place there is no post at all. */
type Row = { scope: string | null } & (TimelinePost | { sortAt: null });

/**
 * Posts of the boundaries that are open to a viewer or of one of these, newest first, each once, and which boundaries
 * these are: all in one statement, which opens the scope before it reads and for itself alone. It is to be
 * planned by {@link PLANNER}. What is in the posts is for who asks to have, or to read.
 *
 * Reads at most `limit` rows of each boundary besides those of {@link mergeBoundaries}, and `limit` stubs and
 * accounts, however much is stored.
 */
export async function homeTimeline(
  database: Transaction,
  { viewer, ...slice }: Omit<MergedSlice, 'author'> & { viewer: Did },
): Promise<Timeline> {
  const { direction } = newestFirst(Prisma.sql`page`, slice);
  const order = Prisma.sql`
    order by page.sort_at ${direction}, page.uri ${direction}, page.node_did ${direction}`;
  const rows = await database.$queryRaw<Row[]>(Prisma.sql`
    with opened as materialized (${openedScope(viewer)}),
    ${mergeBoundaries(Prisma.sql`(select scope from opened)`, slice)}
    select case when row_number() over feed = 1 then opened.scope end as scope,
      page.sort_at as "sortAt", page.uri, page.node_did as node, page.cid,
      page.indexed_at as "indexedAt", nullif(s.subject_cid, page.cid) as "stubCid", a.handle, a.active
    from opened
    left join page on true
    left join stratos_stub s on s.uri = page.uri and s.node_did = page.node_did
    left join stratos_actor a on a.did = page.did
    window feed as (${order})
    ${order}`);
  return {
    scope: rows[0]?.scope ?? '',
    posts: rows.filter((row) => row.sortAt !== null),
  };
}
