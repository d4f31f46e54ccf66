import { Prisma } from '@stratos/prisma';
import type { Did } from '@stratos/protocol';
import { type Database, inTransaction, lockActorsAtNode } from '../database.ts';
import { askForRepos } from './ask-for-repos.ts';

const REPOS_AT_ONCE = 200;

/** Which repos; all if nothing is given. */
export interface RepoSelection {
  nodeDid?: string | undefined;
  did?: string | undefined;
}

export interface ReindexProgress {
  /** Repos that are still to be fetched. */
  waiting: number;
  /** Those of them of which the last attempt failed. */
  failing: number;
}

/** How many repos there are, other than of those who left. */
export async function countRepos(db: Database, selection: RepoSelection): Promise<number> {
  const [row] = await db.$queryRaw<{ count: number }[]>`
    select count(*)::int as count from stratos_membership m where ${members(selection)}`;
  return row?.count ?? 0;
}

/**
 * Has repos be fetched anew, in pages. They stay to be read meanwhile.
 *
 * @param onAsked - told how many were asked for with each page
 */
export async function askForSelected(
  db: Database,
  selection: RepoSelection,
  onAsked: (repos: number) => void = () => {},
): Promise<void> {
  for (let last = { node_did: '' as Did, did: '' as Did }; ; ) {
    const page = await db.$queryRaw<(typeof last)[]>`
      select node_did, did from stratos_membership m
      where ${members(selection)} and (node_did, did) > (${last.node_did}, ${last.did})
      order by node_did, did limit ${REPOS_AT_ONCE}`;
    for (const [nodeDid, people] of Map.groupBy(page, ({ node_did: nodeDid }) => nodeDid)) {
      const dids = people.map(({ did }) => did);
      await inTransaction(db, async (tx) => {
        await lockActorsAtNode(tx, dids, nodeDid);
        await askForRepos(tx, { nodeDid, dids, reason: 'operator' });
      });
    }
    onAsked(page.length);
    const end = page.at(-1);
    if (!end || page.length < REPOS_AT_ONCE) return;
    last = end;
  }
}

/** How much of what was asked for is left. */
export async function reindexProgress(
  db: Database,
  selection: RepoSelection,
): Promise<ReindexProgress> {
  const [row] = await db.$queryRaw<ReindexProgress[]>`
    select count(*)::int as waiting, count(*) filter (where s.failures > 0)::int as failing
    from stratos_resync s join stratos_membership m using (did, node_did)
    where ${members(selection)}`;
  return row ?? { waiting: 0, failing: 0 };
}

function members({ nodeDid, did }: RepoSelection): Prisma.Sql {
  const conditions = [Prisma.sql`m.active`];
  if (nodeDid !== undefined) conditions.push(Prisma.sql`m.node_did = ${nodeDid}`);
  if (did !== undefined) conditions.push(Prisma.sql`m.did = ${did}`);
  return Prisma.join(conditions, ' and ');
}
