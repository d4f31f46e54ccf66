import type { Server } from '@atproto/xrpc-server';
import { isDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { NodeError } from '../../../../node-error.ts';
import { addMethod, operatorOf } from '../../../add-method.ts';

const method = zone.stratos.admin.requeueOutbox;

export function requeueOutbox(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, operatorOf(ctx, method.$lxm), async ({ auth, input }) => {
    const { did } = input.body;
    if (did !== undefined && !isDid(did)) throw new NodeError('InvalidRequest', 'Not a DID');
    const requeued = await ctx.service.outbox.requeue(did);
    ctx.outbox.wake();
    await ctx.service.audit.append({
      address: auth.credentials.address,
      action: method.$nsid,
      ...(did !== undefined && { did }),
      detail: String(requeued),
      outcome: 'done',
    });
    return { encoding: 'application/json' as const, body: { requeued } };
  });
}
