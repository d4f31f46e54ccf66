import type { AtUri, Boundary, Cid, Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';

/** A place in a feed: feeds are ordered by these three, all in one direction. */
export interface Position {
  sortAt: Date;
  uri: AtUri;
  node: Did;
}

/** A post that a query found. Not yet verified, and not yet visible to anybody. */
export interface FoundPost extends Position {
  cid: Cid;
}

/** Up to `limit` rows after a position, or from the beginning. */
export interface Slice {
  after: Position | undefined;
  limit: number;
}

/** A slice of what is in some boundaries. */
export interface ScopedSlice extends Slice {
  boundaries: Iterable<Boundary>;
}

/** The rows that come after a position when the newest are first. */
export function olderThan(table: Prisma.Sql, after: Position | undefined): Prisma.Sql {
  return after ? Prisma.sql`and ${rank(table)} < ${rankOf(after)}` : Prisma.empty;
}

/** The rows that come after a position when the oldest are first. */
export function newerThan(table: Prisma.Sql, after: Position | undefined): Prisma.Sql {
  return after ? Prisma.sql`and ${rank(table)} > ${rankOf(after)}` : Prisma.empty;
}

function rank(table: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(${table}.sort_at, ${table}.uri, ${table}.node_did)`;
}

function rankOf({ sortAt, uri, node }: Position): Prisma.Sql {
  return Prisma.sql`(${sortAt}::timestamptz, ${uri}, ${node})`;
}
