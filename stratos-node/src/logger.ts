import { type DestinationStream, type Logger, pino } from 'pino';
import { loggedError } from './telemetry/logged-error.ts';

export type { Logger };

const SECRETS = [
  'authorization',
  'cookie',
  '["set-cookie"]',
  'dpop',
  'password',
  'secret',
  'token',
  'accessToken',
  'refreshToken',
  'access_token',
  'refresh_token',
  'syncToken',
  'ticket',
  'jwt',
  'dpopJwk',
  'tokenSet',
];

/** How deep in an object secrets are looked for. */
const DEPTH = 4;

/** The node's logger: JSON lines on stdout, secrets blanked wherever they sit in an object. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const paths = SECRETS.flatMap((name) =>
    Array.from({ length: DEPTH }, (_, depth) => {
      const above = '*.'.repeat(depth);
      return name.startsWith('[') ? `${above.slice(0, -1)}${name}` : `${above}${name}`;
    }),
  );
  const options = { name: 'stratos-node', level, redact: paths, serializers: { err: loggedError } };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** A logger that says nothing. */
export const silentLogger: Logger = pino({ level: 'silent' });
