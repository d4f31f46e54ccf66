import type { Child } from '../child.ts';
import { load } from '../load.ts';
import { median, quantile } from '../statistics.ts';
import type { Scenario } from './scenarios.ts';

/** Requests by which a scenario is warmed up, and its rate is guessed, unless told. */
const WARM_UP = 400;
/** What is prepared at once, so that no token is too old when its turn comes. */
const MOST_REQUESTS = 30_000;

export interface MeasureOptions {
  /** Called before each lot of requests is prepared. */
  refresh: () => Promise<void>;
  connections: number;
  seconds: number;
  rounds: number;
}

export interface Measured {
  requests: number;
  /** Items a second of each round. */
  rates: number[];
  p50: number;
  p99: number;
  /** Milliseconds of processor that the service spent on a request, in its best round. */
  cpu: number;
  /** And that the sender spent on it. */
  senderCpu: number;
  /** Resident memory afterwards, in MB. */
  rss: number;
}

/** Runs a scenario for some rounds of about so many seconds each. */
export async function measure(
  service: Child,
  { items = () => 1, warmUp = WARM_UP, prepare }: Pick<Scenario, 'items' | 'warmUp' | 'prepare'>,
  { refresh, connections, seconds, rounds }: MeasureOptions,
): Promise<Measured> {
  const round = async (count: number) => {
    await refresh();
    const requests = [];
    while (requests.length < count) requests.push(await prepare());
    await service.calm();
    const before = await service.usage();
    const sent = await load(service.url, requests, connections);
    const { cpu } = await service.usage();
    return {
      ...sent,
      bytes: sent.bytes / count,
      cpu: (cpu - before.cpu) / count,
      senderCpu: sent.cpu / count,
    };
  };
  const { perSecond } = await round(warmUp);
  const count = Math.min(Math.ceil(perSecond * seconds), MOST_REQUESTS);
  const results = [];
  while (results.length < rounds) results.push(await round(count));
  const latencies = results.flatMap((result) => result.latencies);
  return {
    requests: warmUp + rounds * count,
    rates: results.map((result) => result.perSecond * items(result.bytes)),
    p50: median(latencies),
    p99: quantile(latencies, 0.99),
    cpu: Math.min(...results.map((result) => result.cpu)),
    senderCpu: Math.min(...results.map((result) => result.senderCpu)),
    rss: (await service.usage()).rss,
  };
}
