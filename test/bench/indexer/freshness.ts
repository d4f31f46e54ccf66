import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../statistics.ts';
import { Bench } from './measured-indexer.ts';
import { ON_STREAM, REVOCATIONS, type Sent } from './revoke.ts';
import { type Latency, NOTHING, type Options, PEOPLE, until } from './scenarios.ts';

/** Milliseconds after which what has not been announced counts as never. */
const PATIENCE_MS = 120_000;
/** Seconds of revocations before they count. */
const WARM_UP_SECONDS = 1;

export interface Freshness {
  /** From the sending of a revocation until a listening client hears of it, in milliseconds. */
  waits: Map<string, Latency>;
  /** Events that the indexer was behind when the last one was sent. */
  behind: number;
}

/** How long it takes until gateways are told that something was taken back, behind a backlog. */
export async function measureFreshness(
  options: Options,
  { backlog, revocations, rate }: { backlog: number; revocations: number; rate: number },
): Promise<Freshness> {
  const people = PEOPLE + revocations;
  await using bench = await Bench.prepare({
    ...options,
    plan: { ...NOTHING, people, live: backlog, revocable: revocations },
  });
  await using _ = await bench.start();
  const cursor = () => bench.number('select stream_cursor from stratos_node');
  const before = people + revocations;
  await until(cursor, before);
  await until(() => bench.number('select count(*) from stratos_sync_cursor'), 1);
  await sleep(1_000);
  const first = await bench.number('select coalesce(max(seq), 0) + 1 from stratos_change');
  const heard: { seq: number; at: number }[] = [];
  bench.sql.on('notification', ({ payload }) => {
    heard.push({ seq: Number(payload), at: performance.timeOrigin + performance.now() });
  });
  await bench.sql.query('listen stratos_change');
  const response = await fetch(new URL(`/revoke?rate=${rate}`, bench.stub.url));
  const sent: Sent = await response.json();
  const dids = Object.keys(sent);
  const onStream = dids.filter((_, i) => i % REVOCATIONS.length < ON_STREAM).length;
  const behind = before + backlog + onStream - (await cursor());
  const told = async () => {
    const { rows } = await bench.sql.query<{ did: string; seq: string }>(
      `select did, min(seq) as seq from stratos_change
        where seq >= $1 and did = any($2) group by did`,
      [first, dids],
    );
    return new Map(rows.map(({ did, seq }) => [did, Number(seq)]));
  };
  const deadline = performance.now() + PATIENCE_MS;
  while ((await told()).size < dids.length && performance.now() < deadline) await sleep(100);
  const changes = await told();
  const waits = dids.map((did, i) => {
    const change = changes.get(did) ?? Number.POSITIVE_INFINITY;
    const { at = Number.POSITIVE_INFINITY } = heard.find(({ seq }) => seq >= change) ?? {};
    return { kind: REVOCATIONS[i % REVOCATIONS.length] ?? '', ms: at - (sent[did] ?? 0) };
  });
  const measured = waits.slice(rate * WARM_UP_SECONDS);
  const groups = Map.groupBy(measured, ({ kind }) => kind).set('all', measured);
  return {
    behind,
    waits: new Map(
      Array.from(groups, ([kind, same]) => [kind, latencyOf(same.map(({ ms }) => ms))]),
    ),
  };
}

function latencyOf(waits: readonly number[]): Latency {
  return { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), max: Math.max(...waits) };
}
