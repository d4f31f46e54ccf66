import { createPrismaClient, Prisma, type PrismaClient } from '@stratos/prisma';
import { VIEWERS } from '@stratos/prisma/generated-database';
import { homeTimeline, openScope, type Position } from '@stratos/prisma/queries';
import type { Boundary, Did } from '@stratos/protocol';
import { quantile } from '../statistics.ts';
import { boundariesOf } from './contents.ts';
import type { BenchDatabase } from './database.ts';
import { PAGE } from './feeds.ts';

/** How deep in the feed a page begins, as shares of it. */
export const DEPTHS = [0, 0.25, 0.5, 0.75, 0.95];
/** Pages of a transaction that reads for one viewer as the gateway does. */
const PER_TRANSACTION = 10;

export interface PageTimes {
  boundaries: number;
  depth: number;
  p50: number;
  p99: number;
}

/** Milliseconds that the statement for a page of the home feed takes, from the gateway and back. */
export async function measurePages(
  { url, gatewayUrl }: BenchDatabase,
  repeat: number,
): Promise<PageTimes[]> {
  const owner = createPrismaClient(url, { poolSize: 1, statementTimeoutMs: 120_000 });
  const gateway = createPrismaClient(gatewayUrl, { poolSize: 1, keepsPlans: true });
  await using _closed = {
    async [Symbol.asyncDispose]() {
      await Promise.all([owner.$disconnect(), gateway.$disconnect()]);
    },
  };
  const measured: PageTimes[] = [];
  for (const { did, boundaries } of VIEWERS) {
    const scope = await boundariesOf(owner, did);
    for (const depth of DEPTHS) {
      const after = depth === 0 ? undefined : await positionAt(owner, scope, depth);
      const times = await timesOf(gateway, { viewer: did, after, repeat });
      measured.push({ boundaries, depth, p50: quantile(times, 0.5), p99: quantile(times, 0.99) });
    }
  }
  return measured;
}

async function timesOf(
  gateway: PrismaClient,
  { viewer, after, repeat }: { viewer: Did; after: Position | undefined; repeat: number },
): Promise<number[]> {
  const times: number[] = [];
  // The first ones make plans and fill caches.
  for (let round = -1; round < repeat / PER_TRANSACTION; round++) {
    await gateway.$transaction(async (transaction) => {
      await openScope(transaction, viewer);
      for (let i = 0; i < PER_TRANSACTION; i++) {
        const start = performance.now();
        await homeTimeline(transaction, { viewer, after, limit: PAGE + 1 });
        if (round >= 0) times.push(performance.now() - start);
      }
    });
  }
  return times;
}

async function positionAt(
  owner: PrismaClient,
  boundaries: Boundary[],
  depth: number,
): Promise<Position | undefined> {
  const [row] = await owner.$queryRaw<Position[]>(Prisma.sql`
    with mine as materialized (
      select * from stratos_post_boundary where boundary = any(${boundaries}::text[])
    )
    select sort_at as "sortAt", uri, node_did as node from mine
    order by sort_at desc, uri desc
    offset (select (count(*) * ${depth}::float8)::int from mine) limit 1`);
  return row;
}

/** Adds so many times as many posts as there are, in boundaries that no viewer reads, between the others. */
export async function hideMore({ url }: BenchDatabase, times: number): Promise<void> {
  const owner = createPrismaClient(url, { poolSize: 1, statementTimeoutMs: 600_000 });
  try {
    await owner.$executeRaw`
      insert into stratos_post (uri, node_did, cid, did, rkey, rev, record, text, created_at, indexed_at,
        sort_at, boundaries)
      select uri || '-' || copy, node_did, cid, did, rkey || '-' || copy, rev, record, text, created_at,
        indexed_at, sort_at, array[node_did || '/hidden' || copy]
      from stratos_post cross join generate_series(1, ${times}::int) as copy`;
    await owner.$executeRaw`
      insert into stratos_post_boundary (boundary, sort_at, uri, node_did, did, cid, indexed_at)
      select boundary, sort_at, uri, node_did, did, cid, indexed_at
      from stratos_post cross join lateral unnest(boundaries) as boundary
      where strpos(boundary, '/hidden') > 0`;
    await owner.$executeRawUnsafe('vacuum analyze');
  } finally {
    await owner.$disconnect();
  }
}
