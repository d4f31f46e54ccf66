import { Prisma } from '@stratos/prisma';
import { type Boundary, type Did, isBoundary } from '@stratos/protocol';

/** The boundaries that are open to a viewer at one moment. */
export interface Scope {
  readonly viewer: Did;
  readonly boundaries: ReadonlySet<Boundary>;
}

/**
 * The scope of a viewer as of the transaction: what a node's own log says, while the node is heard.
 * To be read in the transaction that reads what is chosen by it.
 */
export async function readScope(
  transaction: Prisma.TransactionClient,
  viewer: Did,
): Promise<Scope> {
  const rows = await transaction.$queryRaw<{ boundary: string }[]>(Prisma.sql`
    select mb.boundary
    from stratos_membership_boundary mb
    join stratos_membership m on m.did = mb.did and m.node_did = mb.node_did
    join stratos_node n on n.did = mb.node_did
    where mb.did = ${viewer}
      and m.active
      and n.lease_until > now()
      and starts_with(mb.boundary, mb.node_did || '/')
    order by mb.boundary`);
  return { viewer, boundaries: new Set(rows.map((row) => row.boundary).filter(isBoundary)) };
}
