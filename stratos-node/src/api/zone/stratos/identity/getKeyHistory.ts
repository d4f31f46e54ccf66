import type { DatetimeString } from '@atproto/syntax';
import type { Server } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';

const method = zone.stratos.identity.getKeyHistory;

export function getKeyHistory(server: Server, ctx: NodeContext): void {
  server.add(method.main, async () => {
    const history = await ctx.service.nodeKeys.history();
    const keys = history.map(({ validFrom, validUntil, ...key }) => ({
      ...key,
      validFrom: validFrom as DatetimeString,
      ...(validUntil !== undefined && { validUntil: validUntil as DatetimeString }),
    }));
    return {
      encoding: 'application/json' as const,
      body: { did: ctx.config.serviceDid, keys },
    };
  });
}
