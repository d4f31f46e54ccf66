import type { Cid, Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';

export interface BlobTakedown {
  /** False puts the blob back. */
  applied: boolean;
  /** What the operator knows the matter by. */
  ref: string;
}

/**
 * Takes a blob down, or puts it back. Records that refer to it stay; nobody can read it meanwhile,
 * nor upload it again.
 *
 * @returns false if the person has no such blob
 */
export async function takeDownBlob(
  ctx: Pick<NodeContext, 'actors' | 'blobs' | 'blobSweep' | 'locks'>,
  did: Did,
  cid: Cid,
  { applied, ref }: BlobTakedown,
): Promise<boolean> {
  return ctx.locks.run(did, async () => {
    const found = await ctx.actors.read(did, (actor) => actor.blobs.find([cid]));
    const blob = found?.get(cid);
    if (!blob) return false;
    const setTakedown = (takedownRef: string | null) =>
      ctx.actors.write(did, (actor) => actor.blobs.setTakedown(cid, takedownRef));
    // @NOTE at no moment is there a blob that can be read and whose bytes are elsewhere
    if (applied) {
      await setTakedown(ref);
      await ctx.blobs.quarantine(did, cid);
      await ctx.blobSweep.tidy(did, blob.tempKey === null ? [] : [blob.tempKey]);
    } else if (blob.takedownRef !== null) {
      await ctx.blobs.release(did, cid);
      await setTakedown(null);
      await ctx.blobSweep.tidy(did);
    }
    return true;
  });
}
