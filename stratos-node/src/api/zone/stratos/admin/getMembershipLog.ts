import type { Server } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { addMethod, operatorOrAppViewOf } from '../../../add-method.ts';

const method = zone.stratos.admin.getMembershipLog;

export function getMembershipLog(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, operatorOrAppViewOf(ctx, method.$lxm), async ({ params }) => {
    const { limit, cursor } = params;
    const found = await ctx.service.memberships.after(cursor ?? 0, limit + 1);
    const entries = found.slice(0, limit);
    const last = found.length > limit ? entries.at(-1) : undefined;
    return {
      encoding: 'application/json' as const,
      body: { entries, ...(last && { cursor: last.seq }) },
    };
  });
}
