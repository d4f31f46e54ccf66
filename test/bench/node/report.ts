import { availableParallelism, cpus } from 'node:os';
import { type Limits, mostPerSecond, type Needs } from '../machine/limits.ts';
import { median } from '../statistics.ts';
import { number, printTable } from '../table.ts';
import type { Measured } from './measure.ts';
import type { Scenario } from './scenarios.ts';

export interface Row
  extends Pick<Scenario, 'name' | 'bar'>,
    Pick<Measured, 'rates' | 'cpu' | 'rss'> {
  needs?: Needs;
  /** Items in each answer, as many as `needs` is for. */
  itemsEach?: number;
  p50?: number;
  p99?: number;
}

export function printLimits(limits: Limits): void {
  console.log(`${availableParallelism()} cores, ${cpus()[0]?.model}, node ${process.version}\n`);
  printTable(
    ['this machine at most', 'a second'],
    [
      ['SQLite transactions on disk (WAL, synchronous = FULL)', number(limits.transactions)],
      ['P-256 signatures', number(limits.signatures)],
      ['secp256k1 verifications', number(limits.verifications)],
      ['P-256 verifications', number(limits.proofs)],
      ['plain Express, JSON in and out', number(limits.requests)],
    ],
  );
}

/**
 * `of bar` is by the median and `of limit` by the best. The limit is what one core could do if it did
 * nothing but what an answer cannot go without.
 */
export function printMeasured(rows: readonly Row[], limits: Limits): void {
  printTable(
    ['a second', 'best', 'median', 'bar', 'of bar', 'limit', 'of limit', ...PER_REQUEST],
    rows.map(({ name, rates, bar, needs, itemsEach = 1, p50, p99, cpu, rss }) => {
      const most = itemsEach * mostPerSecond(limits, needs ?? {});
      const limit = Number.isFinite(most) ? most : undefined;
      return [
        name,
        number(Math.max(...rates)),
        number(median(rates)),
        number(bar),
        percent(median(rates) / bar),
        limit ? number(limit) : '',
        limit ? percent(Math.max(...rates) / limit) : '',
        p50?.toFixed(0) ?? '',
        p99?.toFixed(0) ?? '',
        cpu.toFixed(2),
        number(rss),
      ];
    }),
  );
}

const PER_REQUEST = ['p50 ms', 'p99 ms', 'cpu ms', 'MB after'];

function percent(share: number): string {
  return `${(share * 100).toFixed(0)}%`;
}
