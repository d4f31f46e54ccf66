import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';

/**
 * Leaves nothing of a person's blobs, wherever they lie, nor of what is known of them. To be called
 * under the person's lock, and again if it fails.
 */
export async function removeAllBlobs(
  ctx: Pick<NodeContext, 'actors' | 'blobs'>,
  did: Did,
): Promise<void> {
  await ctx.blobs.removeAll(did);
  if ((await ctx.actors.read(did, async () => true)) === undefined) return;
  await ctx.actors.write(did, (actor) => actor.blobs.forgetAll());
}
