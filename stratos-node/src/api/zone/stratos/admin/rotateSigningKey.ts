import type { Server } from '@atproto/xrpc-server';
import type { DidKey } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { RotationError } from '../../../../keys/node-keys.ts';
import { republishEnrollments } from '../../../../keys/republish-enrollments.ts';
import { NodeError } from '../../../../node-error.ts';
import { addMethod, operatorOf } from '../../../add-method.ts';

const method = zone.stratos.admin.rotateSigningKey;

export function rotateSigningKey(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, operatorOf(ctx, method.$lxm), async ({ auth }) => {
    const key = await rotated(ctx);
    await ctx.service.audit.append({
      address: auth.credentials.address,
      action: method.$nsid,
      detail: key,
      outcome: 'done',
    });
    ctx.logger.info({ key }, 'the operator changed the key of the node');
    const republished = await ctx.service.enrollments.countActive();
    void republishEnrollments(ctx);
    return { encoding: 'application/json' as const, body: { key, republished } };
  });
}

async function rotated(ctx: NodeContext): Promise<DidKey> {
  try {
    return (await ctx.nodeKeys.rotate()).did();
  } catch (cause) {
    if (!(cause instanceof RotationError)) throw cause;
    throw new NodeError('InvalidRequest', cause.message, { cause });
  }
}
