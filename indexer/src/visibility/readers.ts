import { Prisma } from '@stratos/prisma';
import { ANNOUNCE, type Change, changeRows } from '../changes/announce.ts';
import type { Transaction } from '../database.ts';

/** Posts at one node. */
export interface PostsAtNode {
  nodeDid: string;
  uris: readonly string[];
}

/**
 * Those of some people whose posts count: the node says that they are members, their PDS says the same,
 * and of the same key, the account is in use, and what we have of the repo is not known to be outdated.
 */
function counting(dids: readonly string[], nodeDid: string): Prisma.Sql {
  return Prisma.sql`
    select m.did from stratos_membership m
    where m.did = any(${[...dids]}::text[]) and m.node_did = ${nodeDid} and m.active
      and exists (
        select from stratos_enrollment e
        where e.node_did = m.node_did and e.did = m.did and e.signing_key = m.signing_key
      )
      and not exists (
        select from stratos_resync s
        where s.did = m.did and s.node_did = m.node_did and s.reason = 'outdated'
      )
      and coalesce((select a.active from stratos_actor a where a.did = m.did), true)`;
}

/** Records, or as `at://{did}` all of somebody's, that have to go though their turn has not come. */
function held(dids: readonly string[], nodeDid: string): Prisma.Sql {
  return Prisma.sql`
    select uri from stratos_hold
    where node_did = ${nodeDid} and did = any(${[...dids]}::text[]) and uri is not null`;
}

/** Posts of some people at a node. */
function postsOf(dids: readonly string[], nodeDid: string): Prisma.Sql {
  return Prisma.sql`(
    select * from stratos_post where did = any(${[...dids]}::text[]) and node_did = ${nodeDid}
  )`;
}

/**
 * Posts at a node by their addresses, each looked up by itself: Postgres thinks that a node which it has not
 * counted yet has few, and would rather read them all.
 */
function postsAt({ uris, nodeDid }: PostsAtNode): Prisma.Sql {
  return Prisma.sql`unnest(${[...new Set(uris)]}::text[]) as named(address) cross join lateral (
    select * from stratos_post where uri = named.address and node_did = ${nodeDid} offset 0
  )`;
}

/**
 * The rows that there should be of some posts. These are found first: by way of their authors, all that these
 * have ever written would be read for a few new posts.
 */
function wanted(dids: readonly string[], nodeDid: string, posts: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    counting as materialized (${counting(dids, nodeDid)}),
    held as materialized (${held(dids, nodeDid)}),
    asked as materialized (
      select p.uri, p.did, p.node_did, p.sort_at, p.cid, p.indexed_at, p.boundaries from ${posts} p
    ),
    wanted as materialized (
      select b.boundary, p.sort_at, p.uri, p.node_did, p.did, p.cid, p.indexed_at
      from asked p cross join lateral unnest(p.boundaries) as b(boundary)
      where p.did in (select did from counting)
        and p.uri not in (select uri from held)
        and 'at://' || p.did not in (select uri from held)
    ),
    shown as (
      insert into stratos_post_boundary (boundary, sort_at, uri, node_did, did, cid, indexed_at)
      select boundary, sort_at, uri, node_did, did, cid, indexed_at from wanted
      on conflict (uri, boundary) do nothing
      returning uri, did, boundary
    )`;
}

/** The rows that there are of some posts, looked up without regard to how many their nodes have. */
function there(uris: readonly string[]): Prisma.Sql {
  return Prisma.sql`
    there as materialized (
      select uri, boundary, node_did from stratos_post_boundary
      where uri = any(${[...uris]}::text[])
    )`;
}

/**
 * Makes the readable rows of one person's posts at one node agree with membership, enrollment and holds,
 * and announces what that changes. Called under the lock of that pair, by whatever changes one of them,
 * and last, as others wait from here until the transaction ends.
 */
export async function refreshReaders(tx: Transaction, did: string, nodeDid: string): Promise<void> {
  await refreshReadersOf(tx, [did], nodeDid);
}

/** The same for several people. */
export async function refreshReadersOf(
  tx: Transaction,
  dids: readonly string[],
  nodeDid: string,
): Promise<void> {
  if (dids.length === 0) return;
  await tx.$executeRaw`
    with ${wanted(dids, nodeDid, postsOf(dids, nodeDid))},
    hidden as (
      delete from stratos_post_boundary r
      where r.node_did = ${nodeDid} and r.did = any(${[...dids]}::text[])
        and not exists (
          select from wanted w where w.uri = r.uri and w.boundary = r.boundary
        )
      returning uri, did, boundary
    ),
    ${changesOf(Prisma.sql`shown`, nodeDid)} ${ANNOUNCE}`;
}

/** The same for posts that were just written, which are news in any case. */
export async function showPosts(
  tx: Transaction,
  { nodeDid, uris, dids }: PostsAtNode & { dids: readonly string[] },
): Promise<void> {
  if (uris.length === 0) return;
  await tx.$executeRaw`
    with ${wanted(dids, nodeDid, postsAt({ uris, nodeDid }))},
    ${there(uris)},
    hidden as (
      delete from stratos_post_boundary r using there
      where r.uri = there.uri and r.boundary = there.boundary and there.node_did = ${nodeDid}
        and not exists (
          select from wanted w where w.uri = r.uri and w.boundary = r.boundary
        )
      returning r.uri, r.did, r.boundary
    ),
    ${changesOf(Prisma.sql`wanted`, nodeDid)} ${ANNOUNCE}`;
}

/** Gives posts the readers that they should have and have not. What that changes is to be announced. */
export async function giveReaders(
  tx: Transaction,
  { nodeDid, uris, dids }: PostsAtNode & { dids: readonly string[] },
): Promise<Change[]> {
  if (uris.length === 0) return [];
  const rows = await tx.$queryRaw<ReaderRow[]>`
    with ${wanted(dids, nodeDid, postsAt({ uris, nodeDid }))} select uri, did, boundary from shown`;
  return toChanges('post', nodeDid, rows);
}

/** Takes the readers of all posts of some people at a node away, and announces that. */
export async function hideAll(
  tx: Transaction,
  dids: readonly string[],
  nodeDid: string,
): Promise<void> {
  if (dids.length === 0) return;
  await tx.$executeRaw`
    with hidden as (
      delete from stratos_post_boundary
      where node_did = ${nodeDid} and did = any(${[...dids]}::text[])
      returning uri, did, boundary
    ), change as materialized (
      ${changeRows('gone', Prisma.sql`hidden`, nodeDid)}
    ) ${ANNOUNCE}`;
}

/** Takes the readers of posts away that are about to go. What that changes is to be announced. */
export async function takeReaders(
  tx: Transaction,
  { nodeDid, uris }: PostsAtNode,
): Promise<Change[]> {
  if (uris.length === 0) return [];
  const rows = await tx.$queryRaw<ReaderRow[]>`
    with ${there(uris)}
    delete from stratos_post_boundary r using there
    where r.uri = there.uri and r.boundary = there.boundary and there.node_did = ${nodeDid}
    returning r.uri, r.did, r.boundary`;
  return toChanges('gone', nodeDid, rows);
}

interface ReaderRow {
  uri: string;
  did: string;
  boundary: string;
}

/** One change for each post. */
function toChanges(kind: 'post' | 'gone', nodeDid: string, rows: readonly ReaderRow[]): Change[] {
  return Array.from(Map.groupBy(rows, ({ uri }) => uri).values(), (same) => ({
    kind,
    nodeDid,
    did: same[0]?.did,
    uri: same[0]?.uri,
    boundaries: same.map(({ boundary }) => boundary),
  }));
}

function changesOf(shown: Prisma.Sql, nodeDid: string): Prisma.Sql {
  return Prisma.sql`change as materialized (
    ${changeRows('gone', Prisma.sql`hidden`, nodeDid)}
    union all ${changeRows('post', shown, nodeDid)}
  )`;
}
