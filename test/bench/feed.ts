import { parseArgs } from 'node:util';
import { toDid } from '@stratos/protocol';
import { Client, type QueryResult } from 'pg';
import { addMember, fill, startFeedDatabase } from './feed/database.ts';
import { pageStatements } from './feed/gateway.ts';
import { People } from './people.ts';
import { median } from './statistics.ts';
import { number, printTable } from './table.ts';

const NODE = toDid('did:web:node.invalid');
const MEMBERSHIPS = [1, 5, 20, 50];
const PAGE = 50;
/** The plain way to ask for the same page and the one row by which the next page is known. */
const BASELINE = `
  select p.sort_at as "sortAt", p.uri, p.node_did as node, p.cid
  from stratos_post p
  where exists (
    select from stratos_post_boundary pb
    where pb.uri = p.uri and pb.node_did = p.node_did and pb.boundary = any($1)
  )
  order by p.sort_at desc, p.uri desc, p.node_did desc
  limit ${PAGE + 1}`;

const { values } = parseArgs({
  options: {
    posts: { type: 'string', default: '200000' },
    boundaries: { type: 'string', default: '200' },
    repeat: { type: 'string', default: '40' },
  },
});
const [posts, boundaries, repeat] = [
  Number(values.posts),
  Number(values.boundaries),
  Number(values.repeat),
] as const;

await using database = await startFeedDatabase();
await fill(database.prisma, { node: NODE, posts, boundaries });
await using people = await People.start(MEMBERSHIPS.length);
const scopes: string[][] = [];
for (const [index, count] of MEMBERSHIPS.entries()) {
  const viewer = people.list[index];
  if (viewer) {
    scopes.push(await addMember(database.prisma, viewer.did, { node: NODE, boundaries, count }));
  }
}
const pages = await pageStatements(database.gatewayUrl, { people, limit: PAGE });

const plain = new Client(database.url);
const owner = new Client(database.url);
const gateway = new Client(database.gatewayUrl);
for (const client of [plain, owner, gateway]) await client.connect();
const rows = [];
for (const [index, { scope, skeleton }] of pages.entries()) {
  for (const client of [owner, gateway]) {
    await client.query('begin');
    await client.query(scope.text, scope.values);
  }
  rows.push(
    await compare([
      () => owner.query(skeleton.text, skeleton.values),
      () => gateway.query(skeleton.text, skeleton.values),
      () => plain.query(BASELINE, [scopes[index]]),
    ]),
  );
  for (const client of [owner, gateway]) await client.query('commit');
}
for (const client of [plain, owner, gateway]) await client.end();
console.log(`A page of ${PAGE} out of ${number(posts)} posts in ${boundaries} boundaries, ms\n`);
printTable(
  [
    'boundaries of the viewer',
    'skeleton, best',
    'median',
    'with row security, best',
    'median',
    'ratio',
    'exists + sort, best',
    'median',
    'ratio',
  ],
  rows.map((row, index) => [String(MEMBERSHIPS[index]), ...row]),
);

/** Medians and bests of queries for the same page, and how the medians compare with that of the first. */
async function compare(queries: (() => Promise<QueryResult>)[]): Promise<string[]> {
  const pages = new Set<string>();
  for (const query of queries) pages.add(JSON.stringify((await query()).rows));
  if (pages.size > 1) throw new Error(`the pages differ:\n${[...pages].join('\n')}`);
  const times: number[][] = queries.map(() => []);
  for (let round = 0; round < repeat; round++) {
    for (const [index, query] of queries.entries()) times[index]?.push(await timeOf(query));
  }
  const [first = []] = times;
  return times.flatMap((list, index) => {
    const ratio = (median(list) / median(first)).toFixed(2);
    const both = [Math.min(...list), median(list)].map((ms) => ms.toFixed(2));
    return index === 0 ? both : [...both, `${ratio} ×`];
  });
}

/** Of the second time, so that none pays for what the one before it left in the caches. */
async function timeOf(query: () => Promise<unknown>): Promise<number> {
  await query();
  const start = performance.now();
  await query();
  return performance.now() - start;
}
