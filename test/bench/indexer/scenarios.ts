import { setTimeout as sleep } from 'node:timers/promises';
import type { EmbeddedDatabase } from '@stratos/prisma';
import type { Child } from '../child.ts';
import { quantile } from '../statistics.ts';
import { Bench } from './measured-indexer.ts';
import { postgresCpu } from './postgres-cpu.ts';
import type { StubPlan } from './stub-process.ts';

export const NOTHING: StubPlan = {
  nodes: 1,
  people: 1,
  commits: 0,
  live: 0,
  records: 0,
  revocable: 0,
};
const POLL_MS = 20;
export const PEOPLE = 100;
/** Seconds of events before the latency counts. */
const WARM_UP_SECONDS = 3;

export interface Options {
  postgres: EmbeddedDatabase;
  profile?: string | undefined;
}

export interface Throughput {
  perSecond: number;
  /** Of the processor for each item, by the indexer and by its Postgres. */
  cpuMs: number;
  postgresMs: number;
  rss: number;
}

/** How fast a node's stream is applied, from a backlog of commits of one record each. */
export async function measureCommits(options: Options, commits: number): Promise<Throughput> {
  await using bench = await Bench.prepare({
    ...options,
    plan: { ...NOTHING, people: PEOPLE, commits },
  });
  await using indexer = await bench.start();
  const cursor = () => bench.number('select stream_cursor from stratos_node');
  const begin = PEOPLE + commits / 5;
  const from = await until(cursor, begin);
  const usage = await usageSince(indexer, bench);
  const to = await until(cursor, PEOPLE + commits);
  const count = to.value - from.value;
  const used = await usage(count);
  await expectAll(bench, commits);
  return { perSecond: (count * 1000) / (to.at - from.at), ...used };
}

/** How fast whole repos are fetched and applied. */
export async function measureBackfill(
  options: Options,
  { repos, records }: { repos: number; records: number },
): Promise<Throughput> {
  await using bench = await Bench.prepare({
    ...options,
    plan: { ...NOTHING, people: repos, records },
  });
  await using indexer = await bench.start();
  await until(() => bench.number('select stream_cursor from stratos_node'), repos);
  const usage = await usageSince(indexer, bench);
  const start = performance.now();
  await bench.sql.query(`
    insert into stratos_resync (did, node_did, reason)
    select did, node_did, 'returned' from stratos_membership`);
  const left = () => bench.number('select -count(*) from stratos_resync');
  const end = await until(left, 0);
  const count = repos * records;
  const used = await usage(count);
  await expectAll(bench, count);
  return { perSecond: (count * 1000) / (end.at - start), ...used };
}

export interface Latency {
  p50: number;
  p99: number;
  max: number;
}

/** How long it takes from an event's sending until others may read the row, in milliseconds. */
export async function measureLatency(
  options: Options,
  { rate, seconds }: { rate: number; seconds: number },
): Promise<Latency> {
  const live = rate * (WARM_UP_SECONDS + seconds);
  await using bench = await Bench.prepare({
    ...options,
    plan: { ...NOTHING, people: PEOPLE, live },
  });
  await using _ = await bench.start();
  await until(() => bench.number('select stream_cursor from stratos_node'), PEOPLE);
  const visible = await watch(bench);
  const sent: Record<string, number> = await (
    await fetch(new URL(`/emit?rate=${rate}`, bench.stub.url))
  ).json();
  await until(async () => visible.size, live);
  const measured = Object.entries(sent).slice(rate * WARM_UP_SECONDS);
  const waits = measured.map(([uri, at]) => (visible.get(uri) ?? Number.NaN) - at);
  return { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), max: Math.max(...waits) };
}

/** When each post was announced and could be read, by URI, in epoch ms. */
async function watch(bench: Bench): Promise<Map<string, number>> {
  const visible = new Map<string, number>();
  let last = await bench.number('select coalesce(max(seq), 0) from stratos_change');
  let reading = Promise.resolve();
  bench.sql.on('notification', () => {
    const now = performance.timeOrigin + performance.now();
    reading = reading.then(async () => {
      const { rows } = await bench.sql.query<{ seq: string; uri: string }>(
        `select seq, uri from stratos_change where seq > $1 and kind = 'post' order by seq`,
        [last],
      );
      for (const { seq, uri } of rows) {
        visible.set(uri, now);
        last = Number(seq);
      }
    });
  });
  await bench.sql.query('listen stratos_change');
  return visible;
}

/** MB that the indexer has while it follows nodes that have nothing to say. */
export async function measureIdle(options: Options, nodes: number): Promise<number> {
  await using bench = await Bench.prepare({ ...options, plan: { ...NOTHING, nodes } });
  await using indexer = await bench.start();
  const followed = 'select count(*) from stratos_node where lease_until > now()';
  await until(() => bench.number(followed), nodes);
  await sleep(10_000);
  return (await indexer.usage()).rss;
}

async function usageSince(indexer: Child, bench: Bench) {
  const backend = await bench.number('select pg_backend_pid()');
  const [before, postgresBefore] = [await indexer.usage(), await postgresCpu(backend)];
  return async (count: number) => {
    const [after, postgresAfter] = [await indexer.usage(), await postgresCpu(backend)];
    return {
      cpuMs: (after.cpu - before.cpu) / count,
      postgresMs: (postgresAfter - postgresBefore) / count,
      rss: after.rss,
    };
  };
}

async function expectAll(bench: Bench, count: number): Promise<void> {
  const readable = await bench.number('select count(*) from stratos_post_boundary');
  if (readable !== count) throw new Error(`${readable} of ${count} posts are there`);
}

/** Looks until there is so much. */
export async function until(read: () => Promise<number>, least: number) {
  for (;;) {
    const value = await read();
    if (value >= least) return { value, at: performance.now() };
    await sleep(POLL_MS);
  }
}
