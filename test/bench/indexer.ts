import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '@stratos/prisma';
import { measureFreshness } from './indexer/freshness.ts';
import { measureIndexerLimits } from './indexer/limits.ts';
import {
  measureBackfill,
  measureCommits,
  measureIdle,
  measureLatency,
  type Throughput,
} from './indexer/scenarios.ts';
import { median } from './statistics.ts';
import { number, printTable } from './table.ts';

const { values } = parseArgs({
  options: {
    commits: { type: 'string', default: '20000' },
    repos: { type: 'string', default: '100' },
    records: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '20' },
    nodes: { type: 'string', default: '1000' },
    /** Commits that wait before what is taken back, and how much is. */
    backlog: { type: 'string', default: '20000' },
    revocations: { type: 'string', default: '700' },
    rounds: { type: 'string', default: '3' },
    /** Measures only what has this in its name. */
    only: { type: 'string', default: '' },
    /** Leaves profiles of the indexer in this folder. */
    profile: { type: 'string' },
  },
});
const [commits, repos, records, rate, seconds, nodes, rounds, backlog, revocations] = [
  Number(values.commits),
  Number(values.repos),
  Number(values.records),
  Number(values.rate),
  Number(values.seconds),
  Number(values.nodes),
  Number(values.rounds),
  Number(values.backlog),
  Number(values.revocations),
] as const;

await using opened = new AsyncDisposableStack();
const dataDir = await mkdtemp(join(tmpdir(), 'stratos-bench-'));
opened.defer(() => rm(dataDir, { recursive: true, force: true }));
const postgres = opened.use(await startEmbeddedPostgres({ dataDir, port: 0, persistent: false }));
const options = { postgres, profile: values.profile };
const isChosen = (name: string) => name.includes(values.only);

console.log(`${availableParallelism()} cores, ${cpus()[0]?.model}, node ${process.version}
One indexer and its Postgres, fsync on; the nodes are a process of their own\n`);
const limits = await measureIndexerLimits(postgres);
printTable(
  ['this machine at most', 'a second'],
  [
    ['P-256 verifications on one core', number(limits.verifications)],
    ['records of 3 KB into one bare table, a hundred at a time', number(limits.inserts)],
  ],
);

const measured: string[][] = [];
if (isChosen('commits')) {
  const all = await repeat(() => measureCommits(options, commits));
  measured.push(throughputRow('commits of one record, one stream', 2_500, all));
}
if (isChosen('backfill')) {
  const all = await repeat(() => measureBackfill(options, { repos, records }));
  measured.push(throughputRow(`backfill of ${repos} × ${number(records)} records`, 8_000, all));
}
if (measured.length > 0) {
  console.log();
  printTable(
    ['a second', 'best', 'median', 'bar', 'of bar', 'of verifications', 'cpu ms', 'Postgres', 'MB'],
    measured,
  );
}
if (isChosen('latency')) {
  const { p50, p99, max } = await measureLatency(options, { rate, seconds });
  console.log();
  printTable(
    ['ms from event to readable row', 'p50', 'p99', 'max', 'bar of p99'],
    [[`${rate} events a second`, ...[p50, p99, max].map((ms) => ms.toFixed(0)), '100']],
  );
}
if (isChosen('freshness')) {
  for (const count of [0, backlog]) {
    const { behind, waits } = await measureFreshness(options, {
      backlog: count,
      revocations,
      rate: 100,
    });
    console.log();
    printTable(
      [`ms until announced, ${number(behind)} events behind`, 'p50', 'p99', 'max', 'bar'],
      Array.from(waits, ([kind, { p50, p99, max }]) => {
        return [kind, ...[p50, p99, max].map((ms) => ms.toFixed(0)), '100'];
      }),
    );
  }
}
if (isChosen('idle')) {
  const rss = await measureIdle(options, nodes);
  console.log();
  printTable(['MB', 'indexer', 'bar'], [[`${number(nodes)} idle nodes`, number(rss), '500']]);
}

async function repeat<T>(measure: () => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  while (all.length < rounds) all.push(await measure());
  return all;
}

function throughputRow(name: string, bar: number, all: readonly Throughput[]): string[] {
  const rates = all.map(({ perSecond }) => perSecond);
  const percent = (share: number) => `${(share * 100).toFixed(0)}%`;
  return [
    name,
    number(Math.max(...rates)),
    number(median(rates)),
    number(bar),
    percent(median(rates) / bar),
    percent(median(rates) / limits.verifications),
    median(all.map(({ cpuMs }) => cpuMs)).toFixed(2),
    median(all.map(({ postgresMs }) => postgresMs)).toFixed(2),
    number(median(all.map(({ rss }) => rss))),
  ];
}
