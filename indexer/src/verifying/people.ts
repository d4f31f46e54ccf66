import { Prisma } from '@stratos/prisma';
import type { Database } from '../database.ts';
import type { PersonAtNode } from './stored-person.ts';

const PAGE = 500;

/** Whom of what is stored something is about; everybody if nothing is given. */
export interface Selection {
  nodeDid?: string | undefined;
  did?: string | undefined;
}

interface PersonRow {
  did: PersonAtNode['did'];
  node_did: PersonAtNode['nodeDid'];
}

/** How many of the people there are. */
export async function countPeople(db: Database, selection: Selection): Promise<number> {
  const [row] = await db.$queryRaw<{ count: number }[]>`
    select count(*)::int as count from stratos_membership m where ${matching('m', selection)}`;
  return row?.count ?? 0;
}

/** Everybody of whom a node has spoken, and then those of whom there should be nothing. */
export async function* peopleOf(
  db: Database,
  selection: Selection,
): AsyncGenerator<PersonAtNode, void> {
  let last: PersonAtNode | undefined;
  do {
    const { did, nodeDid } = last ?? { did: '', nodeDid: '' };
    const rows = await db.$queryRaw<PersonRow[]>`
      select did, node_did from stratos_membership m
      where (did, node_did) > (${did}, ${nodeDid}) and ${matching('m', selection)}
      order by did, node_did limit ${PAGE}`;
    const people = rows.map(toPerson);
    yield* people;
    last = people.length === PAGE ? people.at(-1) : undefined;
  } while (last);
  yield* await unknownPeople(db, selection);
}

/** Some of them, by chance. */
export async function samplePeople(
  db: Database,
  selection: Selection,
  count: number,
): Promise<PersonAtNode[]> {
  const rows = await db.$queryRaw<PersonRow[]>`
    select did, node_did from stratos_membership m where ${matching('m', selection)}
    order by random() limit ${count}`;
  return rows.map(toPerson);
}

async function unknownPeople(db: Database, selection: Selection): Promise<PersonAtNode[]> {
  const rows = await db.$queryRaw<PersonRow[]>`
    select did, node_did from (
      select did, node_did from stratos_post union select did, node_did from stratos_proof
    ) as stored
    where ${matching('stored', selection)} and not exists (
      select from stratos_membership m where m.did = stored.did and m.node_did = stored.node_did
    )`;
  return rows.map(toPerson);
}

function matching(table: string, { did, nodeDid }: Selection): Prisma.Sql {
  const name = Prisma.raw(table);
  const conditions = [Prisma.sql`true`];
  if (did !== undefined) conditions.push(Prisma.sql`${name}.did = ${did}`);
  if (nodeDid !== undefined) conditions.push(Prisma.sql`${name}.node_did = ${nodeDid}`);
  return Prisma.join(conditions, ' and ');
}

function toPerson({ did, node_did: nodeDid }: PersonRow): PersonAtNode {
  return { did, nodeDid };
}
