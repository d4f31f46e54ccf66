import type { Did } from '@stratos/protocol';
import { isEnrolled } from '../enrollment/is-enrolled.ts';
import type { RecordPage } from '../storage/actor-storage.ts';
import { mayRead, type Viewer } from './viewer.ts';
import { type ReadContext, readRecord, type VisibleRecord } from './visible-records.ts';

export interface RecordList {
  records: VisibleRecord[];
  /** Record key to go on from; undefined if the viewer has seen all there is for them. */
  cursor: string | undefined;
}

const NOTHING: RecordList = { records: [], cursor: undefined };

/**
 * Those records of a collection that the viewer may read, a full page as long as there are enough.
 * What they may not read leaves no trace in it, nor whether there is such a repo.
 */
export async function listedRecords(
  ctx: ReadContext,
  viewer: Viewer,
  owner: Did,
  page: Omit<RecordPage, 'boundaries'>,
): Promise<RecordList> {
  const isOwner = viewer.did === owner;
  if (!isOwner && (viewer.boundaries.size === 0 || !(await isEnrolled(ctx, owner)))) return NOTHING;
  const boundaries = isOwner ? undefined : [...viewer.boundaries];
  const rows = await ctx.actors.read(owner, (actor) =>
    actor.recordPage({ ...page, limit: page.limit + 1, boundaries }),
  );
  if (!rows) return NOTHING;
  const shown = rows.slice(0, page.limit);
  const records: VisibleRecord[] = [];
  for (const row of shown) {
    const record = await readRecord(ctx, row);
    // @NOTE the record itself decides; the rows that the query asked are drawn from it
    if (record && mayRead(viewer, owner, record.boundaries)) records.push(record);
  }
  return { records, cursor: rows.length > page.limit ? shown.at(-1)?.rkey : undefined };
}
