import type { Cid, Did } from '@stratos/protocol';
import type { Viewer } from '../access/viewer.ts';
import { type ReadContext, visibleRecords } from '../access/visible-records.ts';
import { isEnrolled } from '../enrollment/is-enrolled.ts';
import type { StoredBlob } from '../storage/actor-blobs.ts';
import { blobCidsOf } from './record-blobs.ts';

/** Records with the blob that are looked at; the first decides, unless it is damaged. */
const RECORDS_LOOKED_AT = 10;

/**
 * A blob, for whoever may read a record that refers to it. One that is taken down, or to which no
 * record refers, is nobody's to read; nothing tells it apart from one that does not exist.
 */
export async function visibleBlob(
  ctx: ReadContext,
  viewer: Viewer,
  owner: Did,
  cid: Cid,
): Promise<StoredBlob | undefined> {
  const isOwner = viewer.did === owner;
  if (!isOwner && !(await isEnrolled(ctx, owner))) return undefined;
  const boundaries = isOwner || viewer.isAppView ? undefined : [...viewer.boundaries];
  const stored = await ctx.actors.read(owner, async ({ blobs }) => ({
    blob: (await blobs.find([cid])).get(cid),
    uris: await blobs.recordsWith(cid, { boundaries, limit: RECORDS_LOOKED_AT }),
  }));
  const blob = stored?.blob;
  if (!blob || blob.takedownRef !== null) return undefined;
  const visible = await visibleRecords(ctx, viewer, stored.uris, { asAppView: true });
  // @NOTE the records themselves decide; the rows that were asked are drawn from them
  return visible.values().some(({ value }) => blobCidsOf(value).includes(cid)) ? blob : undefined;
}
