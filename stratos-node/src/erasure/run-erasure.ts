import type { NodeContext } from '../context.ts';
import { eraseActor } from './erase-actor.ts';

const DAY_MS = 24 * 60 * 60_000;
/** People of one run, so that the node is not kept busy by nothing else. */
const PEOPLE_PER_RUN = 100;

/**
 * Erases people who left so long ago that they can no longer come back to what they had.
 *
 * @returns how many
 */
export async function runErasure(ctx: NodeContext, now = new Date()): Promise<number> {
  const before = new Date(now.getTime() - ctx.config.retentionDays * DAY_MS).toISOString();
  await ctx.service.enrollments.noteDepartures(now.toISOString());
  let erased = 0;
  for (const did of await ctx.service.enrollments.leftBefore(before, PEOPLE_PER_RUN)) {
    if (ctx.stopping.aborted) break;
    try {
      if (!(await eraseActor(ctx, did, before))) continue;
      erased += 1;
      ctx.logger.info({ did }, 'erased what somebody who left had here');
    } catch (error) {
      ctx.logger.error({ err: error, did }, 'somebody who left could not be erased');
    }
  }
  return erased;
}
