import { Prisma } from '@stratos/prisma';
import type { Did } from '@stratos/protocol';
import { forgetRepos } from '../applying/forget-repos.ts';
import { type Database, lockActorsAtNode, type Transaction } from '../database.ts';

const ROWS_AT_ONCE = 5_000;
const PEOPLE_AT_ONCE = 20;

export interface PruneOptions {
  /** Days for which it is remembered that a record is gone. Default 30. */
  tombstoneDays?: number;
  /** Days for which refusals are listed. Default 90. */
  quarantineDays?: number;
  /** Days after which what people wrote goes who left their node. Default never. */
  leftDays?: number | undefined;
}

/** Something of which only so much is kept. */
export interface Prunable {
  /** How much there is to be removed. */
  count(db: Database): Promise<number>;
  /** Removes some of it. @returns how much; zero when nothing is left */
  removeSome(tx: Transaction): Promise<number>;
}

/** All that is not kept for ever, by what it is called. */
export function prunables(options: PruneOptions): Record<string, Prunable> {
  const { tombstoneDays = 30, quarantineDays = 90, leftDays } = options;
  return {
    ...(leftDays !== undefined && { 'people who left': peopleWhoLeft(leftDays) }),
    changes: CHANGES,
    deletions: rows('tombstone', older('deleted_at', tombstoneDays)),
    refusals: rows('quarantine', older('refused_at', quarantineDays)),
    'waiting commits': rows('waiting_commit', Prisma.sql`not ${isToBeFetched()}`),
    // @NOTE a large repo that is being fetched is proven before all of its posts are written
    proofs: rows(
      'proof',
      Prisma.sql`not ${isToBeFetched()} and not exists (
      select from stratos_post p
      where p.did = r.did and p.node_did = r.node_did and p.proof_rev = r.rev
    )`,
    ),
  };
}

/** What gateways were told more than an hour ago. */
export const CHANGES: Prunable = rows('change', Prisma.sql`r.at < now() - interval '1 hour'`);

function older(column: string, days: number): Prisma.Sql {
  return Prisma.sql`r.${Prisma.raw(column)} < now() - ${days}::float8 * interval '1 day'`;
}

function isToBeFetched(): Prisma.Sql {
  return Prisma.sql`exists (
    select from stratos_resync s where s.did = r.did and s.node_did = r.node_did
  )`;
}

/** Rows `r` of a table, under a condition. */
function rows(name: string, condition: Prisma.Sql): Prunable {
  const table = Prisma.raw(`stratos_${name}`);
  return {
    count: (db) => countOf(db, Prisma.sql`from ${table} r where ${condition}`),
    removeSome: (tx) => tx.$executeRaw`
      delete from ${table} where ctid = any(array(
        select r.ctid from ${table} r where ${condition} limit ${ROWS_AT_ONCE}
      ))`,
  };
}

/** What people wrote at nodes that they left so long ago. That they did is still known. */
function peopleWhoLeft(days: number): Prunable {
  const people = Prisma.sql`from stratos_membership r
    where not r.active and ${older('issued_at', days)} and (
      exists (select from stratos_repo x where x.did = r.did and x.node_did = r.node_did)
      or exists (select from stratos_post x where x.did = r.did and x.node_did = r.node_did)
    )`;
  return {
    count: (db) => countOf(db, people),
    async removeSome(tx) {
      const found = await tx.$queryRaw<{ did: Did; node_did: Did }[]>`
        select r.did, r.node_did ${people}
        and r.node_did = (select r.node_did ${people} limit 1) limit ${PEOPLE_AT_ONCE}`;
      const [first] = found;
      if (!first) return 0;
      const nodeDid = first.node_did;
      const dids = found.map(({ did }) => did);
      await lockActorsAtNode(tx, dids, nodeDid);
      const left = await tx.membership.findMany({
        select: { did: true },
        where: { nodeDid, did: { in: dids }, active: false },
      });
      const gone = dids.filter((did) => left.some((member) => member.did === did));
      await forgetRepos(tx, nodeDid, gone);
      await tx.resync.deleteMany({ where: { nodeDid, did: { in: gone } } });
      return gone.length;
    },
  };
}

async function countOf(db: Database, from: Prisma.Sql): Promise<number> {
  const [row] = await db.$queryRaw<{ count: number }[]>`select count(*)::int as count ${from}`;
  return row?.count ?? 0;
}
