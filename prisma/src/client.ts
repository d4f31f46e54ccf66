import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import { PrismaPg } from '@prisma/adapter-pg';
import type { PoolConfig } from 'pg';
import { PrismaClient } from '../generated/client.ts';

export interface ClientOptions {
  /** Connections to hold at most. Default 10. */
  poolSize?: number;
  /** Longest time that one statement may run. Default 30 s. */
  statementTimeoutMs?: number;
  /**
   * Has each connection keep the plan of every statement, for who asks the same few again and again.
   * Default false: a pooler in between has to know prepared statements.
   */
  keepsPlans?: boolean;
}

/** After which a transaction of a process that no longer says anything gives its locks back. */
const IDLE_IN_TRANSACTION_MS = 6_000;

/** Milliseconds beyond the longest statement after which a Postgres that says nothing is taken for gone. */
const SILENCE_MS = 5_000;

/** A client for the AppView database. Whoever makes it calls `$disconnect`. */
export function createPrismaClient(databaseUrl: string, options: ClientOptions = {}): PrismaClient {
  // A dropped idle connection is replaced by the next query; unheard it would end the process.
  const adapter = new PrismaPg(poolConfig(databaseUrl, options), {
    onPoolError: () => {},
    onConnectionError: () => {},
    ...(options.keepsPlans && { statementNameGenerator: ({ sql }) => statementName(sql) }),
  });
  return new PrismaClient({ adapter });
}

/** How connections to the AppView database are made. */
export function poolConfig(databaseUrl: string, options: ClientOptions): PoolConfig {
  const { poolSize: max = 10, statementTimeoutMs = 30_000 } = options;
  return {
    connectionString: databaseUrl,
    max,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    stream: () => mortalSocket(statementTimeoutMs + SILENCE_MS),
  };
}

/**
 * A connection that ends when it brings nothing for so long: a host that vanishes closes none. Those that
 * nobody uses are closed before.
 */
function mortalSocket(silenceMs: number): Socket {
  const socket = new Socket();
  return socket.setTimeout(silenceMs, () =>
    socket.destroy(new Error('Postgres has fallen silent')),
  );
}

/** One name for each text, within the 63 characters that Postgres takes. */
export function statementName(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
