import type { DatetimeString } from '@atproto/syntax';
import type { AtUri, Boundary, Did } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { type ReadContext, readRecord, type VisibleRecord } from '../access/visible-records.ts';
import type { LoggedOp } from './actor-log.ts';
import { type Listener, withContent } from './content-rule.ts';

const stream = zone.stratos.sync.subscribeRecords;
export type RecordsMessage = zone.stratos.sync.subscribeRecords.$Message;

/** What somebody listens to: whose repo, as whom, and the boundary that they care for. */
export interface Listening {
  did: Did;
  listener: Listener;
  /** All if undefined. */
  domain: Boundary | undefined;
}

/** Whether a change is about a record that has or had the boundary. */
export function concerns({ op }: LoggedOp, domain: Boundary | undefined): boolean {
  if (domain === undefined) return true;
  return [op.boundaries, op.prevBoundaries].some((boundaries) => boundaries?.includes(domain));
}

/** The frames of changes to one repo, in their order, as of now. */
export async function actorFramesOf(
  ctx: ReadContext,
  { did, listener, domain }: Listening,
  ops: readonly LoggedOp[],
): Promise<RecordsMessage[]> {
  const mayHaveContent = (await withContent(ctx, [did], listener)).has(did);
  const told = ops.filter(({ op }) => mayHaveContent && isIn(op.boundaries, domain));
  const records = await recordsOf(ctx, did, told);
  return ops.map((logged) => frameOf(did, logged, records.get(logged.seq)));
}

function isIn(boundaries: readonly Boundary[] | undefined, domain: Boundary | undefined): boolean {
  return boundaries !== undefined && (domain === undefined || boundaries.includes(domain));
}

/** Those records that are still what the changes made them, and not taken down, by position. */
async function recordsOf(
  ctx: ReadContext,
  did: Did,
  ops: readonly LoggedOp[],
): Promise<Map<number, VisibleRecord>> {
  const uriOf = ({ op }: LoggedOp) => `at://${did}/${op.path}` as AtUri;
  const stored = await ctx.actors.read(did, (actor) => actor.records(ops.map(uriOf)));
  const records = new Map<number, VisibleRecord>();
  for (const logged of ops) {
    const row = stored?.get(uriOf(logged));
    if (!row || row.cid !== logged.op.cid) continue;
    const record = await readRecord(ctx, row);
    if (record) records.set(logged.seq, record);
  }
  return records;
}

function frameOf(
  did: Did,
  { seq, event, op }: LoggedOp,
  record: VisibleRecord | undefined,
): RecordsMessage {
  const { action, path, cid, boundaries, prevBoundaries } = op;
  return stream.commit.build({
    seq,
    did,
    time: event.time as DatetimeString,
    rev: event.rev,
    ops: [
      {
        action,
        path,
        ...(cid && { cid }),
        ...(record && { record: record.value }),
        commit: event.commit,
        ...(boundaries && { boundaries }),
        ...(prevBoundaries && { prevBoundaries }),
      },
    ],
  });
}
