import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../embedded/embedded-postgres.ts';
import { migrate } from '../migrations/migrate.ts';
import { createGatewayLogin } from '../row-security/gateway-login.ts';

export const TEMPLATE = 'stratos_template';

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string;
    /** The same server for who logs in as the gateway. */
    gatewayPostgresUrl: string;
  }
}

/** Vitest global setup: one server for the whole run, with a migrated database to copy from. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'stratos-test-'));
  const postgres = await startEmbeddedPostgres({ dataDir, port: 0, persistent: false });
  await postgres.createDatabase(TEMPLATE);
  await migrate(postgres.url(TEMPLATE));
  const password = randomBytes(24).toString('base64url');
  project.provide('gatewayPostgresUrl', await createGatewayLogin(postgres.url(TEMPLATE), password));
  project.provide('postgresUrl', postgres.url('postgres'));
  // @NOTE for processes that tests start
  process.env['STRATOS_TEST_POSTGRES_URL'] = postgres.url('postgres');
  return async () => postgres[Symbol.asyncDispose]();
}
