import { parseArgs } from 'node:util';
import { toDid } from '@stratos/protocol';
import { Client } from 'pg';
import { addMember, fill, startFeedDatabase } from './feed/database.ts';
import { skeletonStatements } from './feed/gateway.ts';
import type { Statement } from './feed/statements.ts';
import { People } from './people.ts';
import { median } from './statistics.ts';
import { number, printTable } from './table.ts';

const NODE = toDid('did:web:node.invalid');
const MEMBERSHIPS = [1, 5, 20, 50];
const PAGE = 50;

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
const skeletons = await skeletonStatements(database.url, { people, limit: PAGE });

const client = new Client(database.url);
await client.connect();
const rows = [];
for (const [index, skeleton] of skeletons.entries()) {
  rows.push(await compare(skeleton, baseline(scopes[index] ?? [])));
}
await client.end();
console.log(`A page of ${PAGE} out of ${number(posts)} posts in ${boundaries} boundaries, ms\n`);
printTable(
  [
    'boundaries of the viewer',
    'skeleton, best',
    'median',
    'exists + sort, best',
    'median',
    'ratio of medians',
  ],
  rows.map((row, index) => [String(MEMBERSHIPS[index]), ...row]),
);

/** The plain way to ask for the same page and the one row by which the next page is known. */
function baseline(scope: readonly string[]): Statement {
  const text = `
    select p.sort_at as "sortAt", p.uri, p.node_did as node, p.cid
    from stratos_post p
    where exists (
      select from stratos_post_boundary pb
      where pb.uri = p.uri and pb.node_did = p.node_did and pb.boundary = any($1)
    )
    order by p.sort_at desc, p.uri desc, p.node_did desc
    limit ${PAGE + 1}`;
  return { text, values: [scope] };
}

async function compare(ours: Statement, theirs: Statement): Promise<string[]> {
  const [page, expected] = [await pageOf(ours), await pageOf(theirs)];
  if (page !== expected) throw new Error(`the pages differ:\n${page}\n${expected}`);
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < repeat; round++) {
    times[0].push(await timeOf(ours));
    times[1].push(await timeOf(theirs));
  }
  const [fast, slow] = times;
  const ratio = median(slow) / median(fast);
  const pair = (list: number[]) => [Math.min(...list), median(list)].map((ms) => ms.toFixed(2));
  return [...pair(fast), ...pair(slow), `${number(ratio)} ×`];
}

async function pageOf({ text, values }: Statement): Promise<string> {
  const { rows: page } = await client.query(text, values);
  return page.map((row) => Object.values(row).join(' ')).join('\n');
}

async function timeOf({ text, values }: Statement): Promise<number> {
  const start = performance.now();
  await client.query(text, values);
  return performance.now() - start;
}
