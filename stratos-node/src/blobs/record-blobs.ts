import { enumBlobRefs, getBlobCidString, isTypedBlobRef, type LexMap } from '@atproto/lex-data';
import { type Cid, type Did, isCid } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import type { BlobDescription } from './upload-check.ts';

/**
 * The blobs that a record refers to. Throws `InvalidRecord` for references in the older form, which
 * do not say how large the blob is.
 */
export function blobsOf(record: LexMap): BlobDescription[] {
  return Array.from(enumBlobRefs(record, { allowLegacy: true, strict: false }), (reference) => {
    if (!isTypedBlobRef(reference)) throw notFound();
    const { ref, mimeType, size } = reference;
    const cid = ref.toString();
    if (!isCid(cid)) throw notFound();
    return { cid, mimeType, size };
  });
}

/**
 * Makes blobs permanent, because records that are about to be written refer to them. To be called
 * under the lock of their author. If the records are not written after all, the blobs still go when
 * their time has come.
 *
 * @returns keys of temporary blobs that are not needed once the records are written
 * @throws {@link NodeError} `InvalidRecord` unless the author uploaded each of them, as it is described
 */
export async function keepBlobs(
  ctx: Pick<NodeContext, 'actors' | 'blobs'>,
  author: Did,
  blobs: readonly BlobDescription[],
): Promise<string[]> {
  if (blobs.length === 0) return [];
  const wanted = new Map(blobs.map((blob) => [blob.cid, blob]));
  const stored = await ctx.actors.read(author, (actor) => actor.blobs.find([...wanted.keys()]));
  for (const { cid, mimeType, size } of blobs) {
    const blob = stored?.get(cid);
    if (blob?.mimeType !== mimeType || blob.size !== size || blob.takedownRef !== null) {
      throw notFound();
    }
  }
  const keys: string[] = [];
  for (const { cid, tempKey } of stored?.values() ?? []) {
    if (!(await ctx.blobs.keep(author, cid, tempKey ?? undefined))) throw notFound();
    if (tempKey !== null) keys.push(tempKey);
  }
  return keys;
}

/** CIDs of the blobs that a stored record refers to. */
export function blobCidsOf(record: LexMap): Cid[] {
  return Array.from(enumBlobRefs(record), (reference) => getBlobCidString(reference)).filter(isCid);
}

function notFound(): NodeError {
  return new NodeError('InvalidRecord', 'A blob of the record could not be found');
}
