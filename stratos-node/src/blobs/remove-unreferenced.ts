import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';

/** Milliseconds that an upload is kept without a record that refers to it. */
export const TEMPORARY_MS = 60 * 60 * 1_000;

/**
 * Removes the blobs of a person that no record refers to, and those uploads to which none did in
 * time. To be called under the person's lock.
 */
export async function removeUnreferenced(
  ctx: Pick<NodeContext, 'actors' | 'blobs'>,
  did: Did,
): Promise<void> {
  const before = new Date(Date.now() - TEMPORARY_MS).toISOString();
  const blobs = await ctx.actors.read(did, (actor) => actor.blobs.unreferenced(before));
  if (!blobs?.length) return;
  for (const { cid, tempKey } of blobs) {
    await ctx.blobs.remove(did, cid);
    if (tempKey !== null) await ctx.blobs.removeTemporary(did, tempKey);
  }
  // @NOTE last, so that a crash leaves something by which to find the bytes
  await ctx.actors.write(did, (actor) => actor.blobs.forget(blobs.map(({ cid }) => cid)));
}
