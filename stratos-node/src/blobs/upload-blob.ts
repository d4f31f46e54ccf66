import { randomUUID } from 'node:crypto';
import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import { enrolled } from '../records/enrolled.ts';
import { TEMPORARY_MS } from './remove-unreferenced.ts';
import { type BlobDescription, UploadCheck } from './upload-check.ts';

/** How many uploads of the greatest size may wait for a record, all of a person's together. */
const MAX_WAITING = 20;

/**
 * Takes the bytes of a blob as they come. It can be referred to by its uploader's records, and goes
 * again if none does in time. Uploading the same bytes again gives the same blob.
 */
export async function uploadBlob(
  ctx: NodeContext,
  did: Did,
  bytes: AsyncIterable<Uint8Array>,
): Promise<BlobDescription> {
  await enrolled(ctx, did);
  await ctx.writeRate.take(did);
  await refuseIfTooManyWait(ctx, did);
  const check = new UploadCheck(ctx.config.blobs);
  const key = randomUUID();
  await ctx.blobs.putTemporary(did, key, check.passing(bytes));
  try {
    return await ctx.locks.run(did, () => register(ctx, did, key, check.description()));
  } catch (error) {
    await ctx.blobs.removeTemporary(did, key);
    throw error;
  }
}

async function refuseIfTooManyWait(ctx: NodeContext, did: Did): Promise<void> {
  const waiting = await ctx.actors.read(did, (actor) => actor.blobs.temporarySize());
  if ((waiting ?? 0) < MAX_WAITING * ctx.config.blobs.maxBytes) return;
  throw new NodeError('RateLimitExceeded', 'Too many uploads wait for a record that has them', {
    retryAfterSeconds: TEMPORARY_MS / 1_000,
  });
}

async function register(
  ctx: NodeContext,
  did: Did,
  key: string,
  blob: BlobDescription,
): Promise<BlobDescription> {
  await enrolled(ctx, did);
  const { known, isReferredTo } = await readKnown(ctx, did, blob);
  if (known && known.takedownRef !== null) {
    throw new NodeError('InvalidRequest', 'The blob was taken down');
  }
  // @NOTE also when it is known to be permanent: bytes that were lost are there again
  if (isReferredTo) await ctx.blobs.keep(did, blob.cid, key);
  const { mimeType, size } = known ?? blob;
  await ctx.actors.write(did, (actor) =>
    actor.blobs.put({
      cid: blob.cid,
      mimeType,
      size,
      tempKey: isReferredTo ? null : key,
      createdAt: new Date().toISOString(),
      takedownRef: null,
    }),
  );
  const redundant = [isReferredTo ? key : undefined, known?.tempKey].filter((item) => item != null);
  await ctx.blobSweep.tidy(did, redundant);
  return { cid: blob.cid, mimeType, size };
}

async function readKnown(ctx: NodeContext, did: Did, { cid }: BlobDescription) {
  const read = await ctx.actors.read(did, async ({ blobs }) => ({
    known: (await blobs.find([cid])).get(cid),
    isReferredTo: await blobs.isReferredTo(cid),
  }));
  if (!read) throw new NodeError('NotEnrolled');
  return read;
}
