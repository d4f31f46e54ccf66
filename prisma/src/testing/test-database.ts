import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';
import { TEMPLATE } from './global-setup.ts';

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  /** The same database for who logs in as the gateway. */
  readonly gatewayUrl: string;
}

/**
 * A database of its own for a test or a test file, migrated unless `empty` is set, and dropped at the
 * end. Needs `prisma/src/testing/global-setup.ts` as vitest's globalSetup.
 */
export async function createTestDatabase(options?: { empty?: boolean }): Promise<TestDatabase> {
  const adminUrl = inject('postgresUrl');
  const name = `test_${randomBytes(8).toString('hex')}`;
  await execute(
    adminUrl,
    `create database ${name}${options?.empty ? '' : ` template ${TEMPLATE}`}`,
  );
  return {
    url: databaseUrl(adminUrl, name),
    gatewayUrl: databaseUrl(inject('gatewayPostgresUrl'), name),
    [Symbol.asyncDispose]: () => execute(adminUrl, `drop database ${name} with (force)`),
  };
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = name;
  return url.href;
}

async function execute(connectionString: string, sql: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
