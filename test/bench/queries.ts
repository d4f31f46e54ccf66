import { parseArgs } from 'node:util';
import { createPrismaClient, GATEWAY_ROLE, Prisma } from '@stratos/prisma';
import { findSubjects, hotQueries, VIEWERS } from '@stratos/prisma/generated-database';
import { openScope } from '@stratos/prisma/queries';
import { median, quantile } from './statistics.ts';
import { printTable } from './table.ts';

/** A transaction that reads for one viewer as the gateway does, asking each query so often. */
const ROUNDS_PER_TRANSACTION = 10;
const TIMEOUT_MS = 600_000;

const { values } = parseArgs({
  options: {
    database: { type: 'string' },
    repeat: { type: 'string', default: '200' },
  },
});
const repeat = Number(values.repeat);
if (!values.database || !Number.isSafeInteger(repeat)) {
  console.error(
    'usage: npm run bench:queries -- --database <url of a generated one> [--repeat 200]',
  );
  process.exit(1);
}

const prisma = createPrismaClient(values.database, { poolSize: 1, statementTimeoutMs: TIMEOUT_MS });
const times = new Map<string, Map<number, number[]>>();
for (const { did, boundaries } of VIEWERS) {
  const subjects = await prisma.$transaction((tx) => findSubjects(tx, did), {
    timeout: TIMEOUT_MS,
  });
  for (let round = 0; round < repeat; round += ROUNDS_PER_TRANSACTION) {
    await prisma.$transaction(
      async (transaction) => {
        await transaction.$executeRaw`set local role ${Prisma.raw(GATEWAY_ROLE)}`;
        await openScope(transaction, did);
        for (const [name, query] of Object.entries(hotQueries(subjects))) {
          for (let i = 0; i < ROUNDS_PER_TRANSACTION; i++) {
            const start = performance.now();
            await query(transaction);
            note(name, boundaries, performance.now() - start);
          }
        }
      },
      { timeout: TIMEOUT_MS },
    );
  }
}
await prisma.$disconnect();

console.log(`p50 and p99 of ${repeat}, ms, by boundaries of the viewer, as the gateway\n`);
printTable(
  ['query', ...VIEWERS.flatMap(({ boundaries }) => [String(boundaries), 'p99'])],
  Array.from(times, ([name, byBoundaries]) => [
    name,
    ...Array.from(byBoundaries.values(), (list) => [
      median(list).toFixed(1),
      quantile(list, 0.99).toFixed(1),
    ]).flat(),
  ]),
);

function note(name: string, boundaries: number, ms: number): void {
  const byBoundaries = times.get(name) ?? new Map<number, number[]>();
  times.set(name, byBoundaries);
  byBoundaries.set(boundaries, [...(byBoundaries.get(boundaries) ?? []), ms]);
}
