import { createPrismaClient, Prisma, type PrismaClient } from '@stratos/prisma';
import { createTestDatabase, type TestDatabase } from '@stratos/prisma/testing';
import { type Did, qualifyBoundary, toAtUri, toDid } from '@stratos/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { World } from '../testing/world.ts';
import { probe } from './post.ts';
import { mergeBoundaries } from './skeleton.ts';

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: Plan[];
}

const node = toDid('did:web:node.test');
const [hidden, shared, quiet] = ['hidden', 'shared', 'quiet'].map((name) =>
  qualifyBoundary(node, name),
) as [ReturnType<typeof qualifyBoundary>, ...ReturnType<typeof qualifyBoundary>[]];
const scope = [shared, quiet].filter((boundary) => boundary !== undefined);
const author = toDid('did:plc:author');
const POSTS = 20_000;
const VISIBLE_EVERY = 50;

let database: TestDatabase;
let prisma: PrismaClient;
beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient(database.url, { poolSize: 2 });
  const world = new World(prisma);
  await world.node(node);
  await world.actor(author);
  await prisma.$executeRaw`
    insert into stratos_post
      (uri, node_did, cid, did, rkey, rev, record, text, created_at, indexed_at, sort_at, boundaries)
    select 'at://' || ${author} || '/zone.stratos.feed.post/r' || i, ${node}, 'cid', ${author}, 'r' || i,
      'rev', '\\x00', '', at, at, at, array[${hidden}]
    from generate_series(1, ${POSTS}::int) as i, lateral (select now() - i * interval '1 s' as at) as t`;
  await prisma.$executeRaw`
    insert into stratos_post_boundary (boundary, sort_at, uri, node_did, did)
    select case when substring(rkey from 2)::int % ${VISIBLE_EVERY}::int = 0 then ${shared} else ${hidden} end,
      sort_at, uri, node_did, did from stratos_post`;
  await prisma.$executeRaw`
    insert into stratos_actor (did, updated_at)
    select 'did:plc:somebody' || i, now() from generate_series(1, 5000) as i`;
  await prisma.$executeRaw`
    insert into stratos_stub (uri, did, node_did, subject_cid, rev)
    select uri, did, node_did, cid, rev from stratos_post`;
  await prisma.$executeRawUnsafe('analyze');
}, 60_000);
afterAll(async () => {
  await prisma.$disconnect();
  await database[Symbol.asyncDispose]();
});

async function explain(query: Prisma.Sql): Promise<Plan[]> {
  const rows = await prisma.$queryRaw<{ 'QUERY PLAN': { Plan: Plan }[] }[]>(
    Prisma.sql`explain (analyze, format json) ${query}`,
  );
  const [answer] = rows;
  const root = answer?.['QUERY PLAN'][0]?.Plan;
  if (!root) throw new Error('no plan');
  return flatten(root);
}

function flatten(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(flatten)];
}

/** Rows of the index of readers that a query looked at. */
function looked(plans: Plan[]): number {
  return plans
    .filter((plan) => plan['Relation Name'] === 'stratos_post_boundary')
    .reduce(
      (sum, plan) =>
        sum + plan['Actual Loops'] * (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)),
      0,
    );
}

const LIMIT = 21;
const deep = {
  sortAt: new Date(Date.now() - (POSTS / 2) * 1000),
  uri: toAtUri(`at://${author}/zone.stratos.feed.post/r1`),
  node,
};

describe.each([
  ['a timeline', mergeBoundaries(scope, undefined, { after: undefined, limit: LIMIT })],
  ['a timeline, far down', mergeBoundaries(scope, undefined, { after: deep, limit: LIMIT })],
  ['an author’s feed', mergeBoundaries(scope, author, { after: undefined, limit: LIMIT })],
  ['an author’s feed, far down', mergeBoundaries(scope, author, { after: deep, limit: LIMIT })],
])('%s', (_, query) => {
  test('looks at the page alone, however much is hidden', async () => {
    const plans = await explain(query);
    expect(plans.filter((plan) => plan['Node Type'] === 'Seq Scan')).toEqual([]);
    expect(looked(plans)).toBeGreaterThan(0);
    expect(looked(plans)).toBeLessThanOrEqual(scope.length * (LIMIT + 1));
    const sorted = plans.filter((plan) => plan['Node Type'].includes('Sort'));
    for (const plan of sorted)
      expect(plan['Actual Rows']).toBeLessThanOrEqual(LIMIT * scope.length);
  });
});

test('a post that is hidden and one that is not there cost the same', async () => {
  const viewer: Did = toDid('did:plc:viewer');
  const find = (rkey: string) =>
    explain(
      probe(
        { viewer, boundaries: new Set(scope) },
        { uri: toAtUri(`at://${author}/zone.stratos.feed.post/${rkey}`) },
      ),
    );
  const shape = (plans: Plan[]) =>
    plans.map((plan) => [plan['Node Type'], plan['Actual Rows'], plan['Actual Loops']]);
  const [forHidden, forAbsent] = await Promise.all([find('r1'), find('r0')]);
  expect(shape(forHidden)).toEqual(shape(forAbsent));
  expect(looked(forHidden)).toBe(0);
  expect(forHidden.map((plan) => plan['Node Type'])).not.toContain('Seq Scan');
  expect(looked(await find(`r${VISIBLE_EVERY}`))).toBeGreaterThan(0);
});
