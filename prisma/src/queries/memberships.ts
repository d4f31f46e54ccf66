import type { Boundary, Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import type { Transaction } from './transaction.ts';

/** What a node says of somebody. */
export interface OwnMembership {
  node: Did;
  /** Where the node is reached. */
  endpoint: string;
  active: boolean;
  boundaries: Boundary[];
  issuedAt: Date;
  /** Whether the node is heard, without which nothing of it is open. */
  heard: boolean;
}

/** What each node says of somebody, by node. */
export function ownMemberships(transaction: Transaction, did: Did): Promise<OwnMembership[]> {
  return transaction.$queryRaw<OwnMembership[]>(Prisma.sql`
    select m.node_did as node, n.endpoint, m.active, m.issued_at as "issuedAt",
      coalesce(n.lease_until > now(), false) as heard,
      array_remove(array_agg(mb.boundary order by mb.boundary), null) as boundaries
    from stratos_membership m
    join stratos_node n on n.did = m.node_did
    left join stratos_membership_boundary mb on mb.did = m.did and mb.node_did = m.node_did
    where m.did = ${did}
    group by m.did, m.node_did, n.did
    order by m.node_did`);
}

/**
 * Members of a boundary, by DID, after one of them. Row security shows the gateway none but the viewer.
 *
 * Reads `limit` entries of an index.
 */
export async function boundaryMembers(
  transaction: Transaction,
  { boundary, after, limit }: { boundary: Boundary; after: Did | undefined; limit: number },
): Promise<Did[]> {
  const following = after ? Prisma.sql`and did > ${after}` : Prisma.empty;
  const rows = await transaction.$queryRaw<{ did: Did }[]>(Prisma.sql`
    select did from stratos_membership_boundary
    where boundary = ${boundary} ${following}
    order by did
    limit ${limit}`);
  return rows.map(({ did }) => did);
}
