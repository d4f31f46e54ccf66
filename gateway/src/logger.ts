import { type Logger, pino } from 'pino';

export type { Logger };

/** A logger that keeps credentials and content to itself. */
export function createLogger(level: string): Logger {
  return pino({
    name: 'gateway',
    level,
    redact: {
      paths: ['req.headers', 'authorization', '*.authorization', 'token', '*.token', 'password'],
      censor: '[redacted]',
    },
    serializers: { error: pino.stdSerializers.err, err: pino.stdSerializers.err },
  });
}
