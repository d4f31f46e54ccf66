import type { Did } from '@stratos/protocol';
import type { Change } from '../changes/announce.ts';
import type { Transaction } from '../database.ts';
import { boundariesOf } from './standing.ts';
import type { JudgedMembership } from './verdict.ts';

/** Writes the newest word about each person, and who may read from here on. */
export async function writeMemberships(
  tx: Transaction,
  nodeDid: Did,
  memberships: ReadonlyMap<Did, JudgedMembership>,
): Promise<Change[]> {
  if (memberships.size === 0) return [];
  const rows = Array.from(memberships, ([did, { entry, bytes }]) => {
    const { active, seq, signingKey: signing_key, issuedAt: issued_at } = entry;
    return {
      did,
      active,
      seq,
      signing_key,
      issued_at,
      entry: Buffer.from(bytes).toString('base64'),
    };
  });
  await tx.$executeRaw`
    insert into stratos_membership (did, node_did, active, seq, signing_key, issued_at, entry)
    select did, ${nodeDid}, active, seq, signing_key, issued_at, decode(entry, 'base64')
    from json_to_recordset(${JSON.stringify(rows)}::json) as member(did text, active boolean,
      seq bigint, signing_key text, issued_at timestamptz(3), entry text)
    on conflict (did, node_did) do update set
      active = excluded.active, seq = excluded.seq, signing_key = excluded.signing_key,
      issued_at = excluded.issued_at, entry = excluded.entry`;
  const granted = Array.from(memberships, ([did, { entry }]) => {
    return { did, boundaries: entry.active ? [...entry.boundaries] : [] };
  });
  return writeBoundaries(tx, nodeDid, granted);
}

/** Gives people what the newest word about them says, where holds were all that kept it from them. */
export async function restoreBoundaries(
  tx: Transaction,
  nodeDid: Did,
  dids: readonly string[],
): Promise<Change[]> {
  if (dids.length === 0) return [];
  const rows = await tx.$queryRaw<{ did: Did; entry: Uint8Array }[]>`
    select did, entry from stratos_membership
    where node_did = ${nodeDid} and did = any(${[...dids]}::text[]) and active
      and entry is not null`;
  const granted = rows.map(({ did, entry }) => ({ did, boundaries: boundariesOf(entry) }));
  return writeBoundaries(tx, nodeDid, granted);
}

async function writeBoundaries(
  tx: Transaction,
  nodeDid: Did,
  granted: readonly { did: Did; boundaries: string[] }[],
): Promise<Change[]> {
  const rows = await tx.$queryRaw<{ did: string; boundary: string }[]>`
    with member as (
      select did, boundaries from json_to_recordset(${JSON.stringify(granted)}::json)
        as member(did text, boundaries text[])
    ), wanted as materialized (
      select distinct member.did, b.boundary
      from member cross join lateral unnest(member.boundaries) as b(boundary)
      where not exists (
        select from stratos_hold h
        where h.node_did = ${nodeDid} and h.did = member.did and h.boundary = b.boundary
      )
    ), lost as (
      delete from stratos_membership_boundary m
      where m.node_did = ${nodeDid} and m.did in (select did from member)
        and not exists (
          select from wanted w where w.did = m.did and w.boundary = m.boundary
        )
      returning did, boundary
    ), gained as (
      insert into stratos_membership_boundary (did, node_did, boundary)
      select did, ${nodeDid}, boundary from wanted
      on conflict do nothing
      returning did, boundary
    )
    select did, boundary from lost union all select did, boundary from gained`;
  return membershipChanges(nodeDid, rows);
}

/** One change for each person, with the boundaries that they gained or lost. */
export function membershipChanges(
  nodeDid: string,
  rows: readonly { did: string; boundary: string }[],
): Change[] {
  const groups = Map.groupBy(rows, ({ did }) => did);
  return Array.from(groups, ([did, same]) => ({
    kind: 'membership',
    nodeDid,
    did,
    boundaries: same.map(({ boundary }) => boundary),
  }));
}
