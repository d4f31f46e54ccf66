import type { Prisma } from '../../generated/client.ts';

/** What a query runs in, opened for a viewer by `openScope`. */
export interface Transaction {
  $queryRaw<T = unknown>(query: Prisma.Sql): Promise<T>;
}
