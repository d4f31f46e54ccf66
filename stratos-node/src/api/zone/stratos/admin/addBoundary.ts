import type { Server } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { addMethod, operatorOf } from '../../../add-method.ts';
import { changeAsOperator, ownBoundary } from './change.ts';

const method = zone.stratos.admin.addBoundary;

export function addBoundary(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, operatorOf(ctx, method.$lxm), async ({ auth, input }) => {
    const boundary = ownBoundary(ctx, input.body.boundary);
    return changeAsOperator(ctx, {
      action: method.$nsid,
      address: auth.credentials.address,
      did: input.body.did,
      change: (now) => [...now, boundary],
    });
  });
}
