import type { Client } from 'pg';

/** What the gateway's login is a member of. All that it may read, it may read by this role. */
export const GATEWAY_ROLE = 'stratos_gateway';

/** The role is not there, and who migrates may not make it. Nothing was changed. */
export class GatewayRoleError extends Error {
  override name = 'GatewayRoleError';
}

/** Throws {@link GatewayRoleError} when a migration that needs the role could not make it. */
export async function requireGatewayRole(client: Client): Promise<void> {
  const { rows } = await client.query<{ user: string; may: boolean }>(
    `select rolname as user, rolsuper or rolcreaterole
       or exists (select from pg_roles where rolname = $1) as may
     from pg_roles where rolname = current_user`,
    [GATEWAY_ROLE],
  );
  const [me] = rows;
  if (me?.may) return;
  throw new GatewayRoleError(
    `There is no role ${GATEWAY_ROLE}, and ${me?.user} may not make one. ` +
      `Have an administrator of the server run: CREATE ROLE ${GATEWAY_ROLE} NOLOGIN`,
  );
}
