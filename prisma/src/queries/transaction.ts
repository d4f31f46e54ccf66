import type { Prisma } from '../../generated/client.ts';

/** What a query runs in, opened for a viewer by `openScope`. */
export type Transaction = Pick<Prisma.TransactionClient, '$queryRaw'>;
