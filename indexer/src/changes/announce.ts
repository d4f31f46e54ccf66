import { Prisma } from '@stratos/prisma';
import type { Transaction } from '../database.ts';

/** Where gateways listen; the payload is the newest `seq`. */
export const CHANNEL = 'stratos_change';
/** "changes", as a number. */
const TURN = 0x6368616e676573n;

/** Something that readers see from here on, or see no more. */
export interface Change {
  kind: 'post' | 'gone' | 'membership' | 'account' | 'node';
  nodeDid?: string | undefined;
  did?: string | undefined;
  uri?: string | undefined;
  /** Where it was or is to be read. */
  boundaries?: readonly string[];
}

/**
 * The end of a statement with an expression `change (kind, node_did, did, uri, boundaries)`: writes its
 * rows, those of one author in the order of their keys, and wakes who listens. Whoever announces waits here for
 * the transactions that did so before, so that the order of the numbers is the one in which changes become
 * visible.
 */
export const ANNOUNCE = Prisma.sql`
  , turn as materialized (
    select pg_advisory_xact_lock(${TURN}) from (select from change limit 1) as any_change
  ), told as (
    insert into stratos_change (at, kind, node_did, did, uri, boundaries)
    select clock_timestamp(), change.kind, change.node_did, change.did, change.uri, change.boundaries
    from turn cross join change
    order by change.uri, change.kind
    returning seq
  )
  select pg_notify(${CHANNEL}, max(seq)::text) from told having count(*) > 0`;

/** Rows of that expression, one for each person and post, of a source that has `(did, uri, boundary)`. */
export function changeRows(kind: Change['kind'], source: Prisma.Sql, nodeDid: string): Prisma.Sql {
  return Prisma.sql`
    select ${kind}::text as kind, ${nodeDid}::text as node_did, did, uri,
      array_agg(boundary) as boundaries
    from ${source} group by did, uri`;
}

/** Announces what the transaction has changed. Called last, as others wait until it ends. */
export async function announce(tx: Transaction, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return;
  const rows = changes.map(({ kind, nodeDid, did, uri, boundaries = [] }) => {
    return { kind, node_did: nodeDid, did, uri, boundaries };
  });
  await tx.$executeRaw`
    with change as materialized (
      select * from json_to_recordset(${JSON.stringify(rows)}::json)
        as change(kind text, node_did text, did text, uri text, boundaries text[])
    ) ${ANNOUNCE}`;
}
