import type { OwnMembership } from '@stratos/prisma/queries';
import { boundaryName, boundaryNode, type Did } from '@stratos/protocol';
import type {
  BoundaryView,
  NodeView,
  ProfileView,
  SharedBoundaryView,
  Visible,
} from '@stratos/schema';
import type { Author } from '../hydration/authors.ts';
import type { Scope } from './scope.ts';
import { visible } from './visible.ts';

/**
 * Somebody as the scope's viewer may see them, or undefined when they may not: who else is a member of what
 * is for their node to know, and shows only in what they have written for the viewer to read.
 *
 * @param counted - boundaries in which they have written
 */
export function revealProfile(
  scope: Scope,
  did: Did,
  { handle, active }: Author,
  counted: readonly SharedBoundaryView[],
): Visible<ProfileView> | undefined {
  const shared = counted.filter(({ boundary }) => scope.boundaries.has(boundary));
  if (did !== scope.viewer) {
    return active && shared.length > 0 ? visible({ did, handle, boundaries: shared }) : undefined;
  }
  const postCounts = new Map(shared.map(({ boundary, postCount }) => [boundary, postCount]));
  const boundaries = [...scope.boundaries].map((boundary) => ({
    boundary,
    postCount: postCounts.get(boundary) ?? 0,
  }));
  return visible({ did, handle, boundaries });
}

/** The boundaries that the scope's viewer is a member of by the word of a node. */
export function revealBoundaries(
  scope: Scope,
  { active, boundaries, issuedAt }: OwnMembership,
): Visible<BoundaryView>[] {
  if (!active) return [];
  return boundaries.map((uri) =>
    visible({
      uri,
      name: boundaryName(uri),
      node: boundaryNode(uri),
      isOpen: scope.boundaries.has(uri),
      statedAt: issuedAt.toISOString(),
    }),
  );
}

/** A node that has said something of the viewer. */
export function revealNode(membership: OwnMembership): Visible<NodeView> {
  const { node, endpoint, heard, active, issuedAt, boundaries } = membership;
  return visible({
    did: node,
    endpoint,
    isHeard: heard,
    isEnrolled: active,
    statedAt: issuedAt.toISOString(),
    boundaries: active ? boundaries : [],
  });
}
