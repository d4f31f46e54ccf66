import type { Boundary, Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import { PLANNER } from './planner.ts';
import type { Transaction } from './transaction.ts';

const PLANNED = Object.entries(PLANNER)
  .map(([name, value]) => `set_config('${name}', '${value}', true)`)
  .join();

/**
 * Opens a transaction for one viewer: finds the boundaries that are open to them as of the transaction, in
 * order, by what each node's own log says while the node is heard.
 *
 * For this transaction it also tells them to the row security of the database, and has everything planned by
 * {@link PLANNER}.
 */
export async function openScope(transaction: Transaction, viewer: Did): Promise<Boundary[]> {
  const [row] = await transaction.$queryRaw<{ boundaries: Boundary[] }[]>(Prisma.sql`
    select boundaries, scope, ${Prisma.raw(PLANNED)}
    from (${openedScope(viewer)}) as opened`);
  return row?.boundaries ?? [];
}

/**
 * One row that opens the scope of a viewer when it is read: their `boundaries`, and the same as the `scope` of which
 * row security has been told.
 */
export function openedScope(viewer: Did): Prisma.Sql {
  // A subquery that is selected runs once the row that it is selected for is there. So the viewer is
  // told before their memberships are read, which row security shows to nobody else.
  return Prisma.sql`
    select boundaries, set_config('stratos.scope', array_to_string(boundaries, ' '), true) as scope
    from (
      select array(
        select mb.boundary
        from stratos_membership_boundary mb
        join stratos_membership m on m.did = mb.did and m.node_did = mb.node_did
        join stratos_node n on n.did = mb.node_did
        where mb.did = me.viewer
          and m.active
          and n.lease_until > now()
          and starts_with(mb.boundary, mb.node_did || '/')
        order by mb.boundary
      ) as boundaries
      from (select set_config('stratos.viewer', ${viewer}, true) as viewer) as me
      offset 0
    ) as found
    offset 0`;
}
