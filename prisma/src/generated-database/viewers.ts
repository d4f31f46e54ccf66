import type { Did } from '@stratos/protocol';
import type { Client } from 'pg';
import { type DatabaseSize, NODES } from './options.ts';

/** Somebody who reads in so many boundaries. */
export interface GeneratedViewer {
  did: Did;
  boundaries: number;
}

/** Readers in few and in many boundaries, whose scope is of big and small ones, dormant and busy. */
export const VIEWERS: readonly GeneratedViewer[] = [1, 5, 20, 50].map((boundaries) => ({
  did: `did:plc:viewer${boundaries}` as Did,
  boundaries,
}));

/** Makes the viewers members of boundaries of nodes that are heard. */
export async function writeViewers(client: Client, { boundaries }: DatabaseSize): Promise<void> {
  for (const { did, boundaries: count } of VIEWERS) {
    const places = placesOf(count, boundaries);
    await client.query(
      `with scope as (
        select 'did:web:node' || place % ${NODES} || '.example' as node, place
        from unnest($2::int[]) as place
      ), membership as (
        insert into stratos_membership (did, node_did, active, seq, signing_key, issued_at)
        select distinct $1, node, true, 1, 'did:key:zDn' || md5($1), '2024-01-01'::timestamptz from scope
      )
      select from scope`,
      [did, places],
    );
    await client.query(
      `insert into stratos_membership_boundary (did, node_did, boundary)
      select $1, node, node || '/b' || place from (
        select 'did:web:node' || place % ${NODES} || '.example' as node, place
        from unnest($2::int[]) as place
      ) as scope`,
      [did, places],
    );
  }
}

/** Numbers of boundaries, the first of which are the biggest. */
function placesOf(count: number, boundaries: number): number[] {
  const heard = Array.from({ length: boundaries }, (_, place) => place).filter(
    (place) => place % NODES !== NODES - 1,
  );
  return Array.from({ length: count }, (_, index) => {
    const place = Math.floor(heard.length * ((index + 0.6) / count) ** 2.5);
    return heard[Math.max(place, index)] ?? 0;
  });
}
