import { type Logger, pino } from 'pino';

export type { Logger };

const SECRETS = [
  'authorization',
  'cookie',
  'dpop',
  'password',
  'token',
  'jwt',
  'dpopJwk',
  'tokenSet',
];

/** The node's logger: JSON lines on stdout, secrets blanked wherever they sit in an object. */
export function createLogger(level: string): Logger {
  const redact = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  return pino({ name: 'stratos-node', level, redact });
}

/** A logger that says nothing. */
export const silentLogger: Logger = pino({ level: 'silent' });
