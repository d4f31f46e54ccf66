import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { appendMembership } from './membership.ts';
import { stubsLeft } from './stubs-left.ts';

/**
 * Ends a person's enrollment, at once for reads here and on the stream. Their repo and key stay for
 * them alone; the enrollment record and the stubs go from the PDS, and then the session that they gave
 * us.
 *
 * @returns false for somebody who is not enrolled
 */
export async function unenroll(ctx: NodeContext, did: Did): Promise<boolean> {
  const wasEnrolled = await ctx.locks.run(did, async () => {
    const stubs = await stubsLeft(ctx, did);
    return ctx.service.transact(async (stores) => {
      const known = await stores.enrollments.get(did);
      const standing = (await stores.enrollments.standings([did])).get(did);
      if (!known || !standing?.active) return false;
      // @NOTE what was written as a member comes before the entry that says that they are none
      await ctx.publisher.publishWithin(stores, did);
      await stores.enrollments.deactivate(did);
      const node = { did: ctx.config.serviceDid, keys: ctx.nodeKeys };
      const { signingKey } = known;
      await appendMembership(stores, node, { did, active: false, boundaries: [], signingKey });
      await stores.outbox.add(did, { kind: 'enrollment' });
      for (const { collection, rkey } of stubs) {
        await stores.outbox.add(did, {
          kind: 'stub',
          change: { action: 'delete', collection, rkey },
        });
      }
      await stores.outbox.add(did, { kind: 'sign-out', asOf: new Date().toISOString() });
      return true;
    });
  });
  if (wasEnrolled) ctx.publisher.announce();
  return wasEnrolled;
}
