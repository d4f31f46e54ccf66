import type { Server } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { unenroll as endEnrollment } from '../../../../enrollment/unenroll.ts';
import { NodeError } from '../../../../node-error.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = zone.stratos.enrollment.unenroll;

export function unenroll(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth }) => {
    const { did } = auth.credentials;
    if (!(await endEnrollment(ctx, did))) throw new NodeError('NotEnrolled');
    ctx.logger.info({ did }, 'unenrolled');
    return { encoding: 'application/json' as const, body: { success: true } };
  });
}
