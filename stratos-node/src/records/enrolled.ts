import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import type { Enrollment } from '../storage/service-storage.ts';

/** The caller's own enrollment. Throws `NotEnrolled` if there is none that is active. */
export async function enrolled(ctx: Pick<NodeContext, 'service'>, did: Did): Promise<Enrollment> {
  const enrollment = await ctx.service.enrollments.get(did);
  if (!enrollment?.active) throw new NodeError('NotEnrolled');
  return enrollment;
}
