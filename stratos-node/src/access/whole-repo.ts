import { type Did, isDid } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { isEnrolled } from '../enrollment/is-enrolled.ts';
import { NodeError } from '../node-error.ts';
import type { ActorReader } from '../storage/actor-storage.ts';
import type { Viewer } from './viewer.ts';

/**
 * Reads what is about a repo as a whole, for its owner or for an AppView that the operator named.
 *
 * @throws {@link NodeError} `RepoNotFound` for all others, whether there is such a repo or not
 */
export async function readWholeRepo<T>(
  ctx: Pick<NodeContext, 'actors' | 'service'>,
  viewer: Viewer,
  repo: string,
  read: (actor: ActorReader) => Promise<T | undefined>,
): Promise<T> {
  const found =
    isDid(repo) && (await mayReadWhole(ctx, viewer, repo))
      ? await ctx.actors.read(repo, read)
      : undefined;
  if (found === undefined) throw new NodeError('RepoNotFound');
  return found;
}

/** The rule of who may read about a repo as a whole. */
export async function mayReadWhole(
  ctx: Pick<NodeContext, 'service'>,
  viewer: Viewer,
  owner: Did,
): Promise<boolean> {
  return viewer.did === owner || (viewer.isAppView && (await isEnrolled(ctx, owner)));
}
