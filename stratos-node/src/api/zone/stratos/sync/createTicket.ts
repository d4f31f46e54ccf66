import type { DatetimeString } from '@atproto/syntax';
import type { Server } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { NodeError } from '../../../../node-error.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = zone.stratos.sync.createTicket;
const STREAMS: readonly string[] = [
  zone.stratos.sync.subscribeRecords.$nsid,
  zone.stratos.sync.subscribeService.$nsid,
];

export function createTicket(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth, input }) => {
    const stream = input.body.method;
    if (!STREAMS.includes(stream)) {
      throw new NodeError('InvalidRequest', 'The method is no stream of this node');
    }
    const { ticket, expiresAt } = ctx.tickets.issue(auth.credentials.did, stream);
    const body = { ticket, expiresAt: expiresAt.toISOString() as DatetimeString };
    return { encoding: 'application/json' as const, body };
  });
}
