import { ownMemberships } from '@stratos/prisma/queries';
import type { Boundary, Did } from '@stratos/protocol';
import type { BoundaryView, NodeView, Visible } from '@stratos/schema';
import { revealBoundaries, revealNode } from '../access/reveal-membership.ts';
import type { ScopedRead } from '../access/scope.ts';
import type { Request } from './request.ts';

/** All that nodes say of the viewer. */
interface Memberships {
  boundaries: Visible<BoundaryView>[];
  nodes: Visible<NodeView>[];
}

export type MembershipLoader = () => Promise<Memberships>;

/** Reads what nodes say of the viewer, once for one request. */
export function createMembershipLoader(read: ScopedRead): MembershipLoader {
  let memberships: Promise<Memberships> | undefined;
  return () => {
    memberships ??= read(async (transaction, scope) => {
      const own = await ownMemberships(transaction, scope.viewer);
      return {
        boundaries: own.flatMap((membership) => revealBoundaries(scope, membership)),
        nodes: own.map(revealNode),
      };
    });
    return memberships;
  };
}

export async function boundaries({ memberships }: Request): Promise<Visible<BoundaryView>[]> {
  return (await memberships()).boundaries;
}

export async function boundary(
  request: Request,
  { boundary: uri }: { boundary: Boundary },
): Promise<Visible<BoundaryView> | null> {
  return (await boundaries(request)).find((one) => one.uri === uri) ?? null;
}

export async function node(
  { memberships }: Request,
  { did }: { did: Did },
): Promise<Visible<NodeView> | null> {
  return (await memberships()).nodes.find((one) => one.did === did) ?? null;
}
