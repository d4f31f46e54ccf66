import type { Boundary, Did } from '@stratos/protocol';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPrismaClient } from '../client.ts';
import type { PrismaClient } from '../index.ts';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';
import type { Position } from './found-post.ts';
import { openScope } from './open-scope.ts';
import { searchPosts } from './search-posts.ts';

const NODE = 'did:web:node.test' as Did;
const VIEWER = 'did:plc:viewer' as Did;
const [BIG, MIXED, SMALL, LONG, SHORT, HIDDEN] = [
  'big',
  'mixed',
  'small',
  'long',
  'short',
  'hidden',
].map((name) => `${NODE}/${name}`) as [Boundary, Boundary, Boundary, Boundary, Boundary, Boundary];

let database: TestDatabase;
let client: Client;
let prisma: PrismaClient;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await fill();
  prisma = createPrismaClient(database.url, { poolSize: 1 });
}, 60_000);
afterAll(async () => {
  await prisma.$disconnect();
  await client.end();
  await database[Symbol.asyncDispose]();
});

/** More than is walked, with words of which every so many posts has one, and one that is common no more. */
async function fill(): Promise<void> {
  await client.query(`
    insert into stratos_node (did, endpoint, lease_until)
      values ('${NODE}', 'https://node.test', now() + interval '1 hour');
    insert into stratos_membership (did, node_did, active, seq, signing_key, issued_at)
      values ('${VIEWER}', '${NODE}', true, 1, 'did:key:z', now());
    insert into stratos_membership_boundary (did, node_did, boundary)
      select '${VIEWER}', '${NODE}', unnest(array['${BIG}', '${MIXED}', '${SMALL}', '${LONG}', '${SHORT}']);`);
  await write(`
    select i, concat_ws(' ', 'every', case when i % 2 = 0 then 'second' end, case when i % 12 = 0 then 'twelfth' end,
        case when i % 40 = 0 then 'fortieth' end, case when i % 900 = 0 then 'seldom' end,
        case when i < 600 then 'once' end) as text,
      '2026-01-01'::timestamptz + (i / 2) * interval '1 minute' as at,
      array_remove(array['${BIG}', case when i % 10 < 4 then '${MIXED}' end,
        case when i % 500 = 0 then '${SMALL}' end, '${HIDDEN}'], null) as boundaries
    from generate_series(1, 6000) as i`);
}

/** Posts from rows of a number, a text, a time and boundaries. */
async function write(rows: string): Promise<void> {
  await client.query(`
    insert into stratos_post (uri, node_did, cid, did, rkey, rev, record, text, created_at, indexed_at, sort_at,
      boundaries)
    select 'at://did:plc:author/zone.stratos.feed.post/' || i, '${NODE}', 'cid', 'did:plc:author', i, 'rev', '\\x00',
      text, at, at, at, boundaries
    from (${rows}) as row`);
  await client.query(`
    insert into stratos_post_boundary (boundary, sort_at, uri, node_did, did, cid, indexed_at)
    select boundary, sort_at, uri, node_did, did, cid, indexed_at from stratos_post, unnest(boundaries) as boundary
    on conflict do nothing`);
}

const PAGES = [20, 51, 400];
const SCOPES = [[BIG], [MIXED], [SMALL], [BIG, SMALL], [BIG, MIXED, SMALL]];

test.each([
  'every',
  'second',
  'twelfth',
  'fortieth',
  'seldom',
  'once',
  'twelfth once',
  'twelfth fortieth seldom',
  'never',
])('pages of %j are all posts that have it, newest first, wherever they are', async (words) => {
  for (const boundaries of SCOPES) {
    const all = await readAll(boundaries, words);
    for (const limit of PAGES) {
      const [first = [], second] = await twoPages({ boundaries, words, limit });
      expect(first, `the first ${limit}`).toEqual(all.slice(0, limit));
      expect(second, `the next ${limit}`).toEqual(all.slice(limit, 2 * limit));
    }
    const deep = Math.floor(all.length / 2);
    const last = await twoPages({ boundaries, words, limit: 51, after: positionOf(all[deep]) });
    expect(last.flat()).toEqual(all.slice(deep + 1, deep + 103));
  }
});

test('a post of the same moment as that where the walk ended is not passed over', async () => {
  const at = "'2025-01-01'::timestamptz";
  // Two boundaries: 1,500 posts of each are walked, and one more has the word.
  await write(`
    select 10000 + i as i, case when i = 1 then 'tied' else 'untied' end as text,
      ${at} + greatest(i - 2, 0) * interval '1 minute' as at, array['${LONG}'] as boundaries
    from generate_series(1, 1501) as i
    union all select 10000, 'tied', ${at}, array['${SHORT}']`);
  const boundaries = [LONG, SHORT];
  const all = await readAll(boundaries, 'tied');
  expect(all).toHaveLength(2);
  const pages = await twoPages({ boundaries, words: 'tied', limit: 1 });
  expect(pages).toEqual(all.map((post) => [post]));
});

type Found = Pick<Position, 'sortAt' | 'uri'>;

/** Read without an index. */
async function readAll(boundaries: readonly Boundary[], words: string): Promise<Found[]> {
  const { rows } = await client.query<Found>(
    `select p.sort_at as "sortAt", p.uri from stratos_post p
     where to_tsvector('simple', p.text) @@ plainto_tsquery('simple', $2)
       and exists (select from stratos_post_boundary r where r.uri = p.uri and r.boundary = any($1))
     order by p.sort_at desc, p.uri desc`,
    [boundaries, words],
  );
  return rows;
}

function positionOf(found: Found | undefined): Position | undefined {
  return found && { ...found, node: NODE };
}

function twoPages(search: {
  boundaries: Boundary[];
  words: string;
  limit: number;
  after?: Position | undefined;
}): Promise<Found[][]> {
  return prisma.$transaction(async (transaction) => {
    await openScope(transaction, VIEWER);
    const first = await searchPosts(transaction, { after: undefined, ...search });
    const second = await searchPosts(transaction, { ...search, after: first.at(-1) });
    return [first, first.length > 0 ? second : []].map((page) =>
      page.map(({ sortAt, uri }) => ({ sortAt, uri })),
    );
  });
}
