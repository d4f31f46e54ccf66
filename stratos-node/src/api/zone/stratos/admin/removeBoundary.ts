import type { Server } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { addMethod, operatorOf } from '../../../add-method.ts';
import { changeAsOperator } from './change.ts';

const method = zone.stratos.admin.removeBoundary;

export function removeBoundary(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, operatorOf(ctx, method.$lxm), async ({ auth, input }) => {
    const { did, boundary } = input.body;
    const qualified = boundary.includes('/') ? boundary : `${ctx.config.serviceDid}/${boundary}`;
    return changeAsOperator(ctx, {
      action: method.$nsid,
      address: auth.credentials.address,
      did,
      change: (now) => now.filter((member) => member !== qualified),
    });
  });
}
