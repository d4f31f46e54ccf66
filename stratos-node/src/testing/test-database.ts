import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';

/** The server of the test run, which vitest's global setup starts. */
const SERVER = 'STRATOS_TEST_POSTGRES_URL';

/** A database of a test's own on the server of the test run. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/** An empty database, dropped at the end. */
export async function createTestDatabase(): Promise<TestDatabase> {
  return open(`node_${randomBytes(8).toString('hex')}`);
}

/** The database that goes with a data folder: the same one for the same folder. */
export async function databaseOfFolder(dataDir: string): Promise<TestDatabase> {
  return open(`node_${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`);
}

async function open(name: string): Promise<TestDatabase> {
  await onServer(async (client) => {
    const known = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (known.rowCount === 0) await client.query(`CREATE DATABASE ${name}`);
  });
  const url = new URL(serverUrl());
  url.pathname = name;
  return {
    url: url.href,
    [Symbol.asyncDispose]: () =>
      onServer(async (client) => {
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }),
  };
}

async function onServer(task: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl() });
  await client.connect();
  try {
    await task(client);
  } finally {
    await client.end();
  }
}

function serverUrl(): string {
  const url = process.env[SERVER];
  if (url === undefined) throw new Error(`${SERVER} names no server to test with`);
  return url;
}
