import { Prisma } from '@stratos/prisma';

/** By which an indexer that writes shows that nobody has taken over from it since. */
export interface Fence {
  /** The indexer. */
  follower: string;
  /** How often what it follows had been taken over by then. */
  epoch: bigint;
}

/** Another indexer follows the source now: nothing that this one does for it may last. */
export class TakenOverError extends Error {
  override name = 'TakenOverError';

  constructor() {
    super('another indexer has taken over');
  }
}

/** Whether the indexer whose id an expression gives is running. */
export function isAlive(id: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`exists (
    select 1 from stratos_follower f where f.id = ${id} and f.alive_until > now()
  )`;
}
