import { Client } from 'pg';
import { GATEWAY_ROLE } from './gateway-role.ts';

const LOGIN = 'gateway';

/**
 * Lets the gateway log in to an embedded server whose database is migrated, with this password from
 * now on.
 *
 * @param databaseUrl - as a superuser
 * @returns the address of the database for the gateway, password included: not for logs
 */
export async function createGatewayLogin(databaseUrl: string, password: string): Promise<string> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const found = await client.query('select from pg_roles where rolname = $1', [LOGIN]);
    if (found.rowCount === 0) await client.query(`create role ${LOGIN} in role ${GATEWAY_ROLE}`);
    await client.query(`alter role ${LOGIN} login password ${client.escapeLiteral(password)}`);
  } finally {
    await client.end();
  }
  const url = new URL(databaseUrl);
  url.username = LOGIN;
  url.password = password;
  return url.href;
}
