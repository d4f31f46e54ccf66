import type { DatetimeString, DidString } from '@atproto/syntax';
import type { Server } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { addMethod, operatorOf } from '../../../add-method.ts';

const method = zone.stratos.admin.getAuditLog;

export function getAuditLog(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, operatorOf(ctx, method.$lxm), async ({ params }) => {
    const entries = await ctx.service.audit.newest(params.limit);
    return {
      encoding: 'application/json' as const,
      body: {
        entries: entries.map(({ time, did, ...entry }) => ({
          ...entry,
          time: time as DatetimeString,
          ...(did !== undefined && { did: did as DidString }),
        })),
      },
    };
  });
}
