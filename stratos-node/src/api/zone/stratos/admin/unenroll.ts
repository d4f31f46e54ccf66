import type { Server } from '@atproto/xrpc-server';
import { isDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { unenroll as endEnrollment } from '../../../../enrollment/unenroll.ts';
import { NodeError } from '../../../../node-error.ts';
import { addMethod, operatorOf } from '../../../add-method.ts';

const method = zone.stratos.admin.unenroll;

export function unenroll(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, operatorOf(ctx, method.$lxm), async ({ auth, input }) => {
    const { did } = input.body;
    if (!isDid(did) || !(await endEnrollment(ctx, did))) throw new NodeError('NotFound');
    const action = method.$nsid;
    const { address } = auth.credentials;
    await ctx.service.audit.append({ address, action, did, outcome: 'done' });
    ctx.logger.info({ action, did }, 'the operator ended an enrollment');
    return { encoding: 'application/json' as const, body: { did, enrolled: false } };
  });
}
