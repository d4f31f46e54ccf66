import type { Server } from '@atproto/xrpc-server';
import { isDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { NodeError } from '../../../../node-error.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = zone.stratos.identity.resolveEnrollments;

export function resolveEnrollments(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth, params }) => {
    const { did } = params;
    const caller = auth.credentials.did;
    if (caller !== did && !ctx.config.allowedAppViews.includes(caller)) {
      throw new NodeError('AuthRequired', 'Only for the person and for AppViews of this node');
    }
    const known = isDid(did) ? await ctx.service.enrollments.get(did) : undefined;
    const enrolled = known?.active === true;
    const boundaries = enrolled ? known.boundaries : [];
    return { encoding: 'application/json' as const, body: { did, enrolled, boundaries } };
  });
}
