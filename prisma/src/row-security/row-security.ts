import type { PrismaClient } from '../../generated/client.ts';
import { PUBLIC_TABLES } from './public-tables.ts';

/**
 * Why the role of a client could read what it reads for nobody, or undefined when row security keeps it
 * from that. Also of a database whose tables are still to be made, of which nobody knows.
 */
export async function whyUnguarded(prisma: PrismaClient): Promise<string | undefined> {
  const [role] = await prisma.$queryRaw<{ name: string; bypasses: boolean }[]>`
    select current_user::text as name, exists (
      select from pg_roles
      where pg_has_role(oid, 'member') and (rolsuper or rolbypassrls)
    ) as bypasses`;
  if (role?.bypasses) return `the role '${role.name}' bypasses row security`;
  const tables = await prisma.$queryRaw<{ name: string; guarded: boolean }[]>`
    select relname::text as name, row_security_active(oid) as guarded
    from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
      and has_any_column_privilege(oid, 'select')`;
  if (tables.length === 0) return `there is no table that the role '${role?.name}' may read`;
  const open = tables.filter(
    (table) => !table.guarded && !Object.hasOwn(PUBLIC_TABLES, table.name),
  );
  if (open.length === 0) return undefined;
  const names = open.map(({ name }) => name).join(', ');
  return `row security does not hold for the role '${role?.name}' in ${names}`;
}
