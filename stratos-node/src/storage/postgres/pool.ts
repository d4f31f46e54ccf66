import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Logger } from '../../logger.ts';

const INT8 = 20;
const BYTEA = 17;
/** Longest wait for a connection, be it for a free one or for the server. */
const CONNECT_WITHIN_MS = 60_000;
const IDLE_MS = 20_000;

/** Values as the stores want them: whole numbers as numbers, bytes as plain arrays of their own. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid, format) {
    if (format !== 'binary' && oid === INT8) return Number;
    if (format !== 'binary' && oid === BYTEA) {
      return (text: string) => new Uint8Array(Buffer.from(text.slice(2), 'hex'));
    }
    return pg.types.getTypeParser(oid, format);
  },
};

export interface PoolOptions {
  max: number;
  /** The schema whose tables need no qualification. */
  schema?: string;
  logger: Logger;
}

/** How to reach a Postgres. `sslmode` means what it means to every other client of Postgres. */
export function clientConfig(url: string, schema?: string): pg.ClientConfig {
  const address = new URL(url);
  const { searchParams } = address;
  if (searchParams.has('sslmode') && !searchParams.has('uselibpqcompat')) {
    searchParams.set('uselibpqcompat', 'true');
  }
  if (schema !== undefined) {
    const given = searchParams.get('options');
    searchParams.set('options', `${given === null ? '' : `${given} `}-c search_path=${schema}`);
  }
  return {
    connectionString: address.href,
    application_name: 'stratos-node',
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    keepAlive: true,
    types,
  };
}

/** At most `max` connections, made when needed. Disposing of the database closes them. */
export function openPool<Tables>(url: string, { max, schema, logger }: PoolOptions) {
  const pool = new pg.Pool({ ...clientConfig(url, schema), max, idleTimeoutMillis: IDLE_MS });
  pool.on('error', (error) =>
    logger.warn({ reason: error.name }, 'a Postgres connection was lost'),
  );
  // @NOTE the pool listens to idle connections alone; one that is lost between two statements of a
  // transaction would end the process. The next statement fails, and says so to whoever made it
  pool.on('connect', (client) => client.on('error', () => {}));
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}
