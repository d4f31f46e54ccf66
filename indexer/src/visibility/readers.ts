import { Prisma } from '@stratos/prisma';
import type { Transaction } from '../database.ts';

/**
 * The node says that the person is a member, the person's PDS says the same, and of the same key, the
 * account is in use, and what we have of the repo is not known to be outdated.
 */
function countsAt(did: string, nodeDid: string): Prisma.Sql {
  return Prisma.sql`exists (
    select 1 from stratos_membership m
    join stratos_enrollment e
      on e.did = m.did and e.node_did = m.node_did and e.signing_key = m.signing_key
    where m.did = ${did} and m.node_did = ${nodeDid} and m.active
      and not exists (
        select 1 from stratos_resync s
        where s.did = m.did and s.node_did = m.node_did and s.reason = 'outdated'
      )
      and coalesce((select a.active from stratos_actor a where a.did = m.did), true)
  )`;
}

/**
 * Makes the readable rows of one person's posts at one node agree with membership and enrollment.
 * Called under the lock of that pair, by whatever changes either.
 */
export async function refreshReaders(tx: Transaction, did: string, nodeDid: string): Promise<void> {
  await tx.$executeRaw`
    delete from stratos_post_boundary
    where did = ${did} and node_did = ${nodeDid} and not ${countsAt(did, nodeDid)}`;
  await insertReaders(tx, did, nodeDid, Prisma.empty);
}

/** The same for posts that were just written; rows of earlier versions go first. */
export async function replaceReaders(
  tx: Transaction,
  posts: { did: string; nodeDid: string; uris: readonly string[] },
): Promise<void> {
  const { did, nodeDid, uris } = posts;
  await tx.$executeRaw`
    delete from stratos_post_boundary
    where uri = any(${uris}::text[]) and node_did = ${nodeDid}`;
  await insertReaders(tx, did, nodeDid, Prisma.sql`and p.uri = any(${uris}::text[])`);
}

async function insertReaders(tx: Transaction, did: string, nodeDid: string, filter: Prisma.Sql) {
  await tx.$executeRaw`
    insert into stratos_post_boundary (boundary, sort_at, uri, node_did, did)
    select b.boundary, p.sort_at, p.uri, p.node_did, p.did
    from stratos_post p cross join lateral unnest(p.boundaries) as b(boundary)
    where p.did = ${did} and p.node_did = ${nodeDid} ${filter} and ${countsAt(did, nodeDid)}
    on conflict do nothing`;
}
