import type { Boundary, Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { isTakenDown } from '../enrollment/is-taken-down.ts';

/** Somebody who wants to read: what they are a member of here, as of one moment. */
export interface Viewer {
  /** Undefined for somebody who did not say who they are. */
  readonly did: Did | undefined;
  readonly boundaries: ReadonlySet<Boundary>;
  /** A service that the operator lets read everything, to index it. */
  readonly isAppView: boolean;
}

const NOBODY: Viewer = { did: undefined, boundaries: new Set(), isAppView: false };

/** Who is asking, with the memberships that count here and now. */
export async function viewerOf(
  ctx: Pick<NodeContext, 'config' | 'service'>,
  did: Did | undefined,
): Promise<Viewer> {
  if (did === undefined) return NOBODY;
  const enrollment = await ctx.service.enrollments.get(did);
  if (enrollment && !enrollment.active && (await isTakenDown(ctx, did))) return NOBODY;
  const memberships = enrollment?.active ? enrollment.boundaries : [];
  return {
    did,
    boundaries: new Set(memberships.filter((boundary) => ctx.config.boundaries.includes(boundary))),
    isAppView: ctx.config.allowedAppViews.includes(did),
  };
}

/**
 * The one rule of who may read a record: its owner, and whoever shares one of its boundaries.
 *
 * @param boundaries - those of the record; with none it is its owner's alone
 */
export function mayRead(viewer: Viewer, owner: Did, boundaries: readonly Boundary[]): boolean {
  if (viewer.did === undefined) return false;
  return viewer.did === owner || boundaries.some((boundary) => viewer.boundaries.has(boundary));
}
