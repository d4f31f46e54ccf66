import { escapeLiteral } from 'pg';
import { Prisma } from '../../generated/client.ts';
import type { Transaction } from '../queries/transaction.ts';

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  'Heap Fetches'?: number;
  'Shared Hit Blocks'?: number;
  'Shared Read Blocks'?: number;
  Plans?: PlanNode[];
}

/** What the database did for one query, functions and row security included. */
export interface Examined {
  /** Each step of the plan, what it is of, and how many rows it met. */
  steps: { step: string; on: string | undefined; rows: number }[];
  /** Tables that were read from end to end. */
  scanned: string[];
  /** Rows that were looked at, by table. */
  rows: Record<string, number>;
  /** Pages that were looked at, from memory or not. */
  buffers: number;
}

/**
 * Runs what a query would run, prepared as by the driver, and tells what the database did for it. The query
 * itself gets no rows.
 */
export async function examine(
  transaction: Prisma.TransactionClient,
  query: (transaction: Transaction) => Promise<unknown>,
): Promise<Examined> {
  const plans: PlanNode[] = [];
  const before = await readCounters(transaction);
  const explaining = {
    $queryRaw: async ({ text, values }: Prisma.Sql) => {
      const literals = values.length > 0 ? `(${values.map(literal).join(', ')})` : '';
      await transaction.$executeRawUnsafe(`prepare examined as ${text}`);
      const [answer] = await transaction.$queryRawUnsafe<{ 'QUERY PLAN': { Plan: PlanNode }[] }[]>(
        `explain (analyze, buffers, timing off, format json) execute examined${literals}`,
      );
      await transaction.$executeRawUnsafe('deallocate examined');
      plans.push(...(answer?.['QUERY PLAN'] ?? []).map(({ Plan }) => Plan));
      return [];
    },
  } as unknown as Transaction;
  await query(explaining);
  const after = await readCounters(transaction);
  if (plans.length === 0) throw new Error('the query asked for nothing');
  const nodes = plans.flatMap(flatten);
  return {
    steps: nodes.map((node) => ({
      step: node['Node Type'],
      on: node['Index Name'] ?? node['Relation Name'],
      rows: rowsOf(node),
    })),
    scanned: after
      .filter(({ name, scans }) => scans > counterOf(before, name).scans)
      .map(({ name }) => name),
    rows: Object.fromEntries(
      after
        .map(({ name, rows }) => {
          const fetched = rows - counterOf(before, name).rows;
          return [name, fetched + onlyInIndex(nodes, name)] as const;
        })
        .filter(([, rows]) => rows > 0),
    ),
    buffers: plans.reduce(
      (sum, plan) => sum + (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0),
      0,
    ),
  };
}

function literal(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `array[${value.map(literal).join(', ')}]::text[]`;
  return escapeLiteral(value instanceof Date ? value.toISOString() : String(value));
}

function flatten(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flatten)];
}

/** Rows that were seen in an index alone, whether the table was asked if they are current or not. */
function onlyInIndex(nodes: readonly PlanNode[], table: string): number {
  return nodes
    .filter((node) => node['Node Type'] === 'Index Only Scan' && node['Relation Name'] === table)
    .reduce((sum, node) => sum + rowsOf(node) - (node['Heap Fetches'] ?? 0), 0);
}

function rowsOf(node: PlanNode): number {
  const removed =
    (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  return Math.round(node['Actual Loops'] * (node['Actual Rows'] + removed));
}

interface Counter {
  name: string;
  scans: number;
  rows: number;
}

/** Counts within the transaction, what functions and policies do included. */
function readCounters(transaction: Transaction): Promise<Counter[]> {
  return transaction.$queryRaw<Counter[]>(Prisma.sql`
    select relname as name, seq_scan::int as scans,
      (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as rows
    from pg_stat_xact_user_tables order by relname`);
}

function counterOf(counters: readonly Counter[], name: string): Counter {
  return counters.find((counter) => counter.name === name) ?? { name, scans: 0, rows: 0 };
}
