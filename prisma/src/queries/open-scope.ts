import type { Boundary, Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import type { Transaction } from './transaction.ts';

/**
 * Opens a transaction for one viewer: finds the boundaries that are open to them as of the transaction, in
 * order, by what each node's own log says while the node is heard.
 *
 * For this transaction it also tells them to the row security of the database, and keeps the planner from
 * anything but walking indexes in their order, and from looking at what is asked for. Its statistics are of
 * an average boundary, by which it would rather read all of one, or of a table, which is wrong for the
 * biggest; and they know what is hidden, by which it would plan otherwise for that than for what is not there.
 * What is estimated so high is not worth compiling, which would take longer than any of these queries.
 */
export async function openScope(transaction: Transaction, viewer: Did): Promise<Boundary[]> {
  // A subquery that is selected runs once the row that it is selected for is there. So the viewer is
  // told before their memberships are read, which row security shows to nobody else.
  const [row] = await transaction.$queryRaw<{ boundaries: Boundary[] }[]>(Prisma.sql`
    select boundaries,
      set_config('stratos.scope', array_to_string(boundaries, ' '), true),
      set_config('enable_seqscan', 'off', true),
      set_config('enable_bitmapscan', 'off', true),
      set_config('enable_hashjoin', 'off', true),
      set_config('enable_mergejoin', 'off', true),
      set_config('jit', 'off', true),
      set_config('plan_cache_mode', 'force_generic_plan', true)
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
    ) as opened`);
  return row?.boundaries ?? [];
}
