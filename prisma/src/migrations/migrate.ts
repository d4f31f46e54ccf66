import { Client } from 'pg';
import { requireGatewayRole } from '../row-security/gateway-role.ts';
import { readMigrations } from './migration-files.ts';
import { openSchemaEngine } from './schema-engine.ts';

const MIGRATION_LOCK = 0x53545241;

/**
 * Brings the database to the newest migration and returns the names of those that it applied.
 * Processes that start together wait for each other. The history is Prisma's own
 * `_prisma_migrations`, so `prisma migrate deploy` may take turns with it.
 *
 * @throws GatewayRoleError when the gateway's role is not there and may not be made
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const lock = new Client({ connectionString: databaseUrl, application_name: 'stratos-migrate' });
  await lock.connect();
  try {
    await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await requireGatewayRole(lock);
    await using engine = await openSchemaEngine(databaseUrl);
    return await engine.apply(await readMigrations());
  } finally {
    await lock.end();
  }
}
