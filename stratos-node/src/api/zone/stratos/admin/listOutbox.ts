import type { DatetimeString } from '@atproto/syntax';
import type { Server } from '@atproto/xrpc-server';
import { isDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { NodeError } from '../../../../node-error.ts';
import type { WaitingJob } from '../../../../storage/service-storage.ts';
import { addMethod, operatorOf } from '../../../add-method.ts';

const method = zone.stratos.admin.listOutbox;

export function listOutbox(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, operatorOf(ctx, method.$lxm), async ({ params }) => {
    const { did, parked = false, limit } = params;
    if (did !== undefined && !isDid(did)) throw new NodeError('InvalidRequest', 'Not a DID');
    const found = await ctx.service.outbox.list({
      did,
      parkedOnly: parked,
      after: positionOf(params.cursor),
      limit: limit + 1,
    });
    const page = found.slice(0, limit);
    const last = found.length > limit ? page.at(-1) : undefined;
    return {
      encoding: 'application/json' as const,
      body: { jobs: page.map(listed), ...(last && { cursor: String(last.id) }) },
    };
  });
}

function positionOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (!/^\d{1,15}$/.test(cursor)) throw new NodeError('InvalidRequest', 'Not a cursor');
  return Number(cursor);
}

/** What is to be written stays out of it: that is the person's. */
function listed({ id, did, job, attempts, dueAt, parkedReason }: WaitingJob) {
  return {
    id,
    did,
    kind: job.kind,
    attempts,
    dueAt: new Date(dueAt).toISOString() as DatetimeString,
    ...(parkedReason !== null && { parkedReason }),
  };
}
