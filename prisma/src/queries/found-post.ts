import type { AtUri, Boundary, Cid, Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';

/** A place in a feed: feeds are ordered by these three, all in one direction. */
export interface Position {
  sortAt: Date;
  uri: AtUri;
  node: Did;
}

/**
 * A post that a query found. Not yet verified, and not yet visible to anybody. Without a CID it is in the index
 * alone: such a row counts, so that a page does not end with it.
 */
export interface FoundPost extends Position {
  cid: Cid | null;
}

/** Up to `limit` rows after a position, or from where the feed begins. */
export interface Slice {
  after: Position | undefined;
  limit: number;
  /** Walks the feed against its order: from its end, or from the position to where it begins. */
  reverse?: boolean | undefined;
}

/** A slice of what is in some boundaries. */
export interface ScopedSlice extends Slice {
  boundaries: Iterable<Boundary>;
}

/** How a query walks a feed: the rows that come after a position, and the direction of their order. */
export interface Walk {
  following: Prisma.Sql;
  direction: Prisma.Sql;
}

/** How a slice of a feed whose newest rows are first is walked. */
export function newestFirst(table: Prisma.Sql, { after, reverse }: Slice): Walk {
  return reverse ? upwards(table, after) : downwards(table, after);
}

/** How a slice of a feed whose oldest rows are first is walked. */
export function oldestFirst(table: Prisma.Sql, { after, reverse }: Slice): Walk {
  return reverse ? downwards(table, after) : upwards(table, after);
}

function downwards(table: Prisma.Sql, after: Position | undefined): Walk {
  const following = after ? Prisma.sql`and ${rank(table)} < ${rankOf(after)}` : Prisma.empty;
  return { following, direction: Prisma.sql`desc` };
}

function upwards(table: Prisma.Sql, after: Position | undefined): Walk {
  const following = after ? Prisma.sql`and ${rank(table)} > ${rankOf(after)}` : Prisma.empty;
  return { following, direction: Prisma.sql`asc` };
}

function rank(table: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(${table}.sort_at, ${table}.uri, ${table}.node_did)`;
}

function rankOf({ sortAt, uri, node }: Position): Prisma.Sql {
  return Prisma.sql`(${sortAt}::timestamptz, ${uri}, ${node})`;
}
