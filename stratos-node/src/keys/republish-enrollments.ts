import { setTimeout as sleep } from 'node:timers/promises';
import { toDid } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';

/** People for whom one transaction queues the job. */
const PEOPLE_PER_BATCH = 50;

/**
 * Queues the enrollment record of everybody who is enrolled, after the node has got another key. It
 * goes on where it was if the node stopped meanwhile, and does nothing if there is nothing to do.
 */
export async function republishEnrollments(
  ctx: Pick<NodeContext, 'service' | 'outbox' | 'logger' | 'stopping'>,
): Promise<void> {
  try {
    for (let hasMore = true; hasMore && !ctx.stopping.aborted; ) {
      const began = performance.now();
      hasMore = await queueSome(ctx);
      // @NOTE as long as it took: half of the time is for everybody else
      if (hasMore) await sleep(performance.now() - began);
    }
    ctx.outbox.wake();
  } catch (err) {
    ctx.logger.error({ err }, 'enrollment records could not be queued; a restart goes on with it');
  }
}

/** False once there is nobody left. */
async function queueSome(ctx: Pick<NodeContext, 'service'>): Promise<boolean> {
  return ctx.service.transact(async (stores) => {
    const after = await stores.nodeKeys.republishAfter();
    if (after === undefined) return false;
    const people = await stores.enrollments.after(after, PEOPLE_PER_BATCH);
    for (const { did, active } of people) {
      if (active) await stores.outbox.add(did, { kind: 'enrollment' });
    }
    const last = people.at(-1)?.did;
    const isDone = last === undefined || people.length < PEOPLE_PER_BATCH;
    await stores.nodeKeys.setRepublishAfter(isDone ? undefined : toDid(last));
    return !isDone;
  });
}
