import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../generated/client.ts';

export interface ClientOptions {
  /** Connections to hold at most. Default 10. */
  poolSize?: number;
  /** Longest time that one statement may run. Default 30 s. */
  statementTimeoutMs?: number;
}

/** After which a transaction of a process that no longer says anything gives its locks back. */
const IDLE_IN_TRANSACTION_MS = 6_000;

/** A client for the AppView database. Whoever makes it calls `$disconnect`. */
export function createPrismaClient(databaseUrl: string, options: ClientOptions = {}): PrismaClient {
  const adapter = new PrismaPg(
    {
      connectionString: databaseUrl,
      max: options.poolSize ?? 10,
      statement_timeout: options.statementTimeoutMs ?? 30_000,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      connectionTimeoutMillis: 10_000,
    },
    // A dropped idle connection is replaced by the next query; unheard it would end the process.
    { onPoolError: () => {}, onConnectionError: () => {} },
  );
  return new PrismaClient({ adapter });
}
