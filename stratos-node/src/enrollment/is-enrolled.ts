import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';

/** Whether a person is enrolled now; what somebody who is not has written is theirs alone to read. */
export async function isEnrolled(ctx: Pick<NodeContext, 'service'>, did: Did): Promise<boolean> {
  return (await ctx.service.enrollments.get(did))?.active === true;
}
