import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';

/** Whether a person is enrolled now; what somebody who is not has written is theirs alone to read. */
export async function isEnrolled(ctx: Pick<NodeContext, 'service'>, did: Did): Promise<boolean> {
  return (await enrolledAmong(ctx, [did])).has(did);
}

/** Those of some people who are enrolled now, and not taken down. */
export async function enrolledAmong(
  ctx: Pick<NodeContext, 'service'>,
  dids: readonly Did[],
): Promise<Set<Did>> {
  const standings = await ctx.service.enrollments.standings(dids);
  const isHere = (did: Did) => {
    const { active = false, isTakenDown = true } = standings.get(did) ?? {};
    return active && !isTakenDown;
  };
  return new Set(dids.filter(isHere));
}
