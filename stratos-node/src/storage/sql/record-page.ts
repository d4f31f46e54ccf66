import type { AtUri, Boundary, Did } from '@stratos/protocol';
import { type Kysely, sql } from 'kysely';
import type { RecordPage } from '../actor-storage.ts';
import type { ActorTables } from './actor-tables.ts';

/**
 * The query for a page of records. It takes as long as the page is, however many records of the
 * collection the reader may not see.
 */
export function recordPageQuery(db: Kysely<ActorTables>, did: Did, page: RecordPage) {
  const { boundaries, descending, limit } = page;
  const { low, high } = addressRange(did, page);
  // @NOTE within a collection addresses sort like record keys
  return db
    .selectFrom('stratos_record as record')
    .innerJoin('stratos_repo_block as block', 'block.cid', 'record.cid')
    .select(['record.uri', 'record.cid', 'record.collection', 'record.rkey'])
    .select(['record.repoRev as rev', 'block.content as bytes'])
    .where('record.takedownRef', 'is', null)
    .$if(boundaries === undefined, (query) =>
      query.where('record.uri', '>', low).where('record.uri', '<', high),
    )
    .$if(boundaries !== undefined, (query) =>
      query.where('record.uri', 'in', addressesIn(boundaries ?? [], { ...page, low, high })),
    )
    .orderBy('record.uri', descending ? 'desc' : 'asc')
    .limit(limit);
}

/** What the addresses of the page lie between. */
export function addressRange(did: Did, { collection, after, descending }: RecordPage) {
  const first = `at://${did}/${collection}/` as AtUri;
  const last = `${first}\u{10ffff}` as AtUri;
  if (after === undefined) return { low: first, high: last };
  const at = `${first}${after}` as AtUri;
  return descending ? { low: first, high: at } : { low: at, high: last };
}

interface AddressPage {
  low: AtUri;
  high: AtUri;
  descending: boolean;
  limit: number;
}

/** The first addresses of each boundary. */
function addressesIn(boundaries: readonly Boundary[], page: AddressPage) {
  const { low, high, limit } = page;
  const order = sql.raw(page.descending ? 'DESC' : 'ASC');
  const ofEach = boundaries.map(
    (boundary) => sql`SELECT uri FROM (
      SELECT named.uri FROM stratos_record_boundary AS named
      JOIN stratos_record AS listed ON listed.uri = named.uri
      WHERE named.boundary = ${boundary} AND named.uri > ${low} AND named.uri < ${high}
        AND ${sql.ref('listed.takedownRef')} IS NULL
      ORDER BY named.uri ${order} LIMIT ${limit}) AS page`,
  );
  return sql<AtUri>`(${sql.join(ofEach, sql` UNION `)})`;
}
