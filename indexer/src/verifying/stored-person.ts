import type { Prisma } from '@stratos/prisma';
import type { Did } from '@stratos/protocol';
import type { Transaction } from '../database.ts';

export interface PersonAtNode {
  did: Did;
  nodeDid: Did;
}

/** All that is stored of a person at a node beside posts and proofs, as of one moment. */
export interface StoredPerson extends PersonAtNode {
  /** Undefined for somebody of whom the node's log has not spoken. */
  member: Prisma.MembershipGetPayload<{ include: { boundaries: true; repo: true } }> | undefined;
  /** The keys that the person's enrollment records name for this node. */
  enrolledKeys: ReadonlySet<string>;
  isActiveAccount: boolean;
  /** Why the repo is to be fetched anew, if it is. */
  resync: string | undefined;
  heldBoundaries: ReadonlySet<string>;
  heldUris: ReadonlySet<string>;
}

export async function readPerson(
  tx: Transaction,
  { did, nodeDid }: PersonAtNode,
): Promise<StoredPerson> {
  const key = { did, nodeDid };
  const member = await tx.membership.findUnique({
    where: { did_nodeDid: key },
    include: { boundaries: true, repo: true },
  });
  const enrollments = await tx.enrollment.findMany({ where: key });
  const actor = await tx.actor.findUnique({ where: { did } });
  const resync = await tx.resync.findUnique({ where: { did_nodeDid: key } });
  const holds = await tx.hold.findMany({ where: key });
  return {
    ...key,
    member: member ?? undefined,
    enrolledKeys: new Set(enrollments.map(({ signingKey }) => signingKey)),
    isActiveAccount: actor?.active ?? true,
    resync: resync?.reason,
    heldBoundaries: new Set(holds.flatMap(({ boundary }) => boundary ?? [])),
    heldUris: new Set(holds.flatMap(({ uri }) => uri ?? [])),
  };
}
