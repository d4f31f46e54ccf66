import { setTimeout as delay } from 'node:timers/promises';
import { createPrismaClient } from '@stratos/prisma';

const PATIENCE_MS = 30_000;

/** Waits until the indexer hears these nodes, so that what they hold is shown. Throws when it does not. */
export async function waitForLeases(
  databaseUrl: string,
  dids: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const prisma = createPrismaClient(databaseUrl, { poolSize: 1 });
  const deadline = Date.now() + PATIENCE_MS;
  try {
    for (;;) {
      const heard = await prisma.node.findMany({
        where: { did: { in: [...dids] }, leaseUntil: { gt: new Date() } },
        select: { did: true },
      });
      const silent = dids.filter((did) => !heard.some((node) => node.did === did));
      if (silent.length === 0) return;
      if (Date.now() > deadline) throw new Error(`The indexer does not hear ${silent.join(', ')}`);
      await delay(100, undefined, signal ? { signal } : {});
    }
  } finally {
    await prisma.$disconnect();
  }
}
