import { type Logger, pino } from 'pino';

export type { Logger };

export function createLogger(level: string): Logger {
  return pino({
    name: 'indexer',
    level,
    redact: {
      paths: [
        'authorization',
        '*.authorization',
        'databaseUrl',
        '*.databaseUrl',
        'record',
        '*.record',
      ],
      censor: '[redacted]',
    },
    serializers: { err: describeError },
  });
}

/**
 * What may be said of an error: its name, its code, and the message of our own and of network errors.
 * A database error can quote the values that it choked on, so its message stays here.
 */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const { code, reason } = error as { code?: unknown; reason?: unknown };
  const quiet = error.name.startsWith('PrismaClient');
  return {
    name: error.name,
    ...(code !== undefined && { code }),
    ...(reason !== undefined && { reason }),
    ...(!quiet && { message: error.message }),
    ...(error.cause instanceof Error && { cause: describeError(error.cause) }),
  };
}
