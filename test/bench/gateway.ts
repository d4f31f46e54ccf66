import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createPrismaClient } from '@stratos/prisma';
import { Client } from 'pg';
import { Child } from './child.ts';
import { measureById } from './gateway/by-id.ts';
import { writeContents } from './gateway/contents.ts';
import { type BenchDatabase, BenchPostgres, withLogin } from './gateway/database.ts';
import { FEEDS, type Feed, FeedRequests, PAGE } from './gateway/feeds.ts';
import { benchLive } from './gateway/live.ts';
import { type MeasuredGateway, startMeasuredGateway } from './gateway/measured-gateway.ts';
import { DEPTHS, hideMore, measurePages, type PageTimes } from './gateway/statements.ts';
import { postgresCpu } from './indexer/postgres-cpu.ts';
import { load } from './load.ts';
import { measure } from './node/measure.ts';
import { median } from './statistics.ts';
import { number, printTable } from './table.ts';

/** Pages of each home feed that are read. */
const PAGES = 20;
/** What a page is measured on beside ten times as much that is hidden. */
const HIDING_POSTS = 20_000;
const MAX_PAGE_P99_MS = 60;
const MAX_SQL_P99_MS = 3;

const { values } = parseArgs({
  options: {
    posts: { type: 'string', default: '50000' },
    /** A generated database that is there already, as its owner. It is changed. */
    database: { type: 'string' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
    /** How viewers prove who they are: `bearer` or `dpop`. */
    auth: { type: 'string', default: 'bearer' },
    /** By-id questions for what is hidden, and as many for what is absent. */
    ids: { type: 'string', default: '20000' },
    repeat: { type: 'string', default: '500' },
    /** Measures only what has this in its name: `feed GraphQL`, `feed tRPC`, `by id`, `statements`, `hidden`, `live`. */
    only: { type: 'string', default: '' },
    /** Leaves profiles of the gateway in this folder. */
    profile: { type: 'string' },
  },
});
const [posts, seconds, rounds, connections, ids, repeat] = [
  Number(values.posts),
  Number(values.seconds),
  Number(values.rounds),
  Number(values.connections),
  Number(values.ids),
  Number(values.repeat),
] as const;
const isChosen = (name: string) => name.includes(values.only);

await using postgres = await BenchPostgres.start();
const database: BenchDatabase = values.database
  ? await withLogin(values.database)
  : await postgres.generate('bench', posts);
const prisma = createPrismaClient(database.url, { poolSize: 2, statementTimeoutMs: 120_000 });
await using _closed = { [Symbol.asyncDispose]: () => prisma.$disconnect() };
await writeContents(prisma, (PAGES + 1) * PAGE);
const watcher = new Client(database.url);
await watcher.connect();
await using _watched = { [Symbol.asyncDispose]: () => watcher.end() };
const [size] = (
  await watcher.query<{ posts: number; backend: number }>(
    'select count(*)::int as posts, pg_backend_pid() as backend from stratos_post',
  )
).rows;
console.log(`${availableParallelism()} cores, ${cpus()[0]?.model}, node ${process.version}
${number(size?.posts ?? 0)} posts; database, gateway and sender on this machine\n`);

const feeds = FEEDS.filter(({ name }) => isChosen(`feed ${name}`));
if (feeds.length > 0 || isChosen('by id')) {
  const { profile } = values;
  await using gateway = await startMeasuredGateway({
    ...{ databaseUrl: database.gatewayUrl, bound: values.auth === 'dpop', profile },
  });
  if (feeds.length > 0) await printFeeds(gateway);
  if (isChosen('by id')) await printById(gateway);
}
if (isChosen('statements')) printPages(await measurePages(database, repeat));
if (isChosen('hidden')) {
  const small = await postgres.generate('hiding', HIDING_POSTS);
  const before = await measurePages(small, repeat);
  await hideMore(small, 10);
  printHidden(before, await measurePages(small, repeat));
}
if (isChosen('live')) await benchLive(database, { seconds, profile: values.profile });

async function printFeeds(gateway: MeasuredGateway): Promise<void> {
  const rows: string[][] = [];
  for (const feed of feeds) rows.push(await feedRow(gateway, feed));
  console.log(
    `Home feed of ${PAGE}, ${PAGES} pages of 4 viewers, ${values.auth} sessions, ` +
      `${connections} connections, ${rounds} × ${seconds} s\n`,
  );
  printTable(
    [
      ...['a second', 'best', 'median', 'bar', 'of bar', 'floor', 'of floor'],
      ...['p50 ms', 'p99 ms', 'bar', 'cpu ms', 'Postgres', 'sender', 'MB'],
    ],
    rows,
  );
}

async function feedRow({ process, sessions }: MeasuredGateway, feed: Feed): Promise<string[]> {
  const requests = await FeedRequests.walk(feed, sessions, { base: process.url, depth: PAGES });
  const options = { refresh: () => sessions.refresh(), connections, seconds, rounds };
  const before = await postgresCpu(size?.backend ?? 0);
  const measured = await measure(process, { prepare: () => requests.prepare() }, options);
  const inPostgres = ((await postgresCpu(size?.backend ?? 0)) - before) / measured.requests;
  const most = await floorOf(process.url, requests);
  const rate = median(measured.rates);
  return [
    feed.name,
    ...[Math.max(...measured.rates), rate, feed.bar].map(number),
    percent(rate / feed.bar),
    number(most),
    percent(Math.max(...measured.rates) / most),
    ...[measured.p50, measured.p99, MAX_PAGE_P99_MS].map((ms) => ms.toFixed(0)),
    ...[measured.cpu, inPostgres, measured.senderCpu].map((ms) => ms.toFixed(2)),
    number(measured.rss),
  ];
}

/** How often a second a bare server sends one of the answers to the same requests. */
async function floorOf(gateway: URL, requests: FeedRequests): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'stratos-bench-'));
  const file = join(folder, 'answer.json');
  let answer = '';
  const request = await requests.prepare();
  await load(gateway, [{ ...request, onAnswer: (text) => (answer = text) }], 1);
  await writeFile(file, answer, 'latin1');
  await using floor = await Child.start(new URL('./gateway/floor-process.ts', import.meta.url), {
    args: [file],
    onEnd: () => rm(folder, { recursive: true }),
  });
  const { rates } = await measure(
    floor,
    { warmUp: 4_000, prepare: () => requests.prepare() },
    { refresh: async () => undefined, connections, seconds: 1, rounds: 3 },
  );
  return Math.max(...rates);
}

async function printById(gateway: MeasuredGateway): Promise<void> {
  const answers = await measureById(gateway, { prisma, count: ids });
  console.log(`\nA post by its address, ${number(ids)} hidden and as many absent, in no order\n`);
  printTable(
    ['ms', 'p50', 'p99', 'mean'],
    (['hidden', 'absent'] as const).map((kind) => {
      const times = answers[kind];
      const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
      const sorted = times.toSorted((a, b) => a - b);
      const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
      return [kind, ...[median(times), p99, mean].map((ms) => ms.toFixed(4))];
    }),
  );
  console.log(
    `\nOne distribution: p = ${answers.kolmogorovSmirnov.toFixed(3)} by Kolmogorov and Smirnov, ` +
      `${answers.means.toFixed(3)} by a permutation test of the means`,
  );
}

function printPages(measured: readonly PageTimes[]): void {
  console.log(`\nThe statement for a page, ${repeat} times, bar of p99: ${MAX_SQL_P99_MS} ms\n`);
  printTable(
    ['boundaries of the viewer', ...DEPTHS.flatMap((depth) => [`p50 at ${percent(depth)}`, 'p99'])],
    [...Map.groupBy(measured, ({ boundaries }) => boundaries)].map(([boundaries, times]) => [
      String(boundaries),
      ...times.flatMap(({ p50, p99 }) => [p50.toFixed(2), p99.toFixed(2)]),
    ]),
  );
}

function printHidden(before: readonly PageTimes[], after: readonly PageTimes[]): void {
  console.log(`\nThe same with ten times as much that is hidden, p50 in ms\n`);
  printTable(
    ['boundaries of the viewer', 'page at', 'before', 'after', 'ratio'],
    before.map(({ boundaries, depth, p50 }, index) => {
      const then = after[index]?.p50 ?? Number.NaN;
      const ratio = (then / p50).toFixed(2);
      return [String(boundaries), percent(depth), p50.toFixed(2), then.toFixed(2), `${ratio} ×`];
    }),
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)}%`;
}
