import { Prisma } from '@stratos/prisma';
import { ANNOUNCE, changeRows } from '../changes/announce.ts';
import { type Database, inTransaction, lockReaders } from '../database.ts';

/** Something that has to go though its turn has not come. */
export interface Hold {
  did: string;
  streamSeq: number;
  /** Records, or as `at://{did}` all that the person wrote. */
  uris: readonly string[];
  /** Place in the membership log, where a newer entry may be known. */
  entrySeq?: number;
  /** The only boundaries that the person may keep; undefined if it is not about membership. */
  keeps?: readonly string[];
  /** Boundaries that the person is about to gain before. */
  gains?: readonly string[];
}

/**
 * Hides at once what the node has revoked, until the event is applied in its turn. Whoever is
 * making their posts readable ends first, and what comes after finds the holds.
 */
export async function placeHolds(
  db: Database,
  nodeDid: string,
  holds: readonly Hold[],
): Promise<void> {
  const dids = [...new Set(holds.map(({ did }) => did))];
  const rows = holds.map(({ did, streamSeq: stream_seq, entrySeq: entry_seq, ...hold }) => {
    return { did, stream_seq, entry_seq, uris: hold.uris, keeps: hold.keeps, gains: hold.gains };
  });
  await inTransaction(db, async (tx) => {
    await lockReaders(tx, dids, nodeDid);
    // In one statement, because behind a backlog each of them waits for a turn.
    await tx.$executeRaw`
      with placed as (
        insert into stratos_hold (node_did, did, stream_seq, boundary, uri)
        select ${nodeDid}, hold.did, hold.stream_seq, what.boundary, what.uri
        from json_to_recordset(${JSON.stringify(rows)}::json)
          as hold(did text, stream_seq bigint, entry_seq bigint, uris text[], keeps text[],
            gains text[])
        cross join lateral (
          select null as boundary, uri from unnest(hold.uris) as uri
          union all
          select boundary, null from (
            select m.boundary from stratos_membership_boundary m
            where m.did = hold.did and m.node_did = ${nodeDid}
            union select unnest(hold.gains)
          ) as held
          where hold.keeps is not null and boundary <> all(hold.keeps)
            and starts_with(boundary, ${nodeDid} || '/')
        ) as what
        where hold.stream_seq > (select stream_cursor from stratos_node where did = ${nodeDid})
          and not exists (
            select from stratos_membership newer
            where newer.did = hold.did and newer.node_did = ${nodeDid} and newer.seq >= hold.entry_seq
          )
          and not exists (
            select from stratos_hold known
            where known.node_did = ${nodeDid} and known.did = hold.did
              and known.stream_seq = hold.stream_seq
              and known.boundary is not distinct from what.boundary
              and known.uri is not distinct from what.uri
          )
        returning did, boundary, uri
      ), lost as (
        delete from stratos_membership_boundary m using placed
        where m.node_did = ${nodeDid} and m.did = placed.did and m.boundary = placed.boundary
        returning m.did, null::text as uri, m.boundary
      ), revoked as materialized (
        select there.* from placed cross join lateral (
          select uri, boundary from stratos_post_boundary
          where uri = placed.uri and node_did = ${nodeDid} offset 0
        ) as there
        union
        select theirs.* from placed cross join lateral (
          select uri, boundary from stratos_post_boundary
          where placed.uri = 'at://' || placed.did and did = placed.did and node_did = ${nodeDid} offset 0
        ) as theirs
      ), hidden as (
        delete from stratos_post_boundary r using revoked
        where r.uri = revoked.uri and r.boundary = revoked.boundary
        returning r.did, r.uri, r.boundary
      ), change as materialized (
        ${changeRows('gone', Prisma.sql`hidden`, nodeDid)}
        union all ${changeRows('membership', Prisma.sql`lost`, nodeDid)}
      ) ${ANNOUNCE}`;
  });
}
