import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { appendMembership } from '../enrollment/membership.ts';
import { stubsLeft } from '../enrollment/stubs-left.ts';
import type { Takedown } from './takedown.ts';

/**
 * Takes a whole account down, or puts it back: at once for all reads and writes here, the person's own
 * as well, and by an entry of the membership log for everybody who follows the node. The enrollment
 * record and the stubs go from the PDS, and come back. Whoever is taken down can still leave.
 *
 * @returns false for somebody who never was enrolled
 */
export async function takeDownAccount(
  ctx: NodeContext,
  did: Did,
  { applied, ref }: Takedown,
): Promise<boolean> {
  const isKnown = await ctx.locks.run(did, async () => {
    const stubs = await stubsLeft(ctx, did);
    return ctx.service.transact(async (stores) => {
      const known = await stores.enrollments.get(did);
      const standing = (await stores.enrollments.standings([did])).get(did);
      if (!known || !standing) return false;
      if (standing.isTakenDown === applied) return true;
      // @NOTE what was written before comes before the entry that ends it
      await ctx.publisher.publishWithin(stores, did);
      await stores.enrollments.setTakedown(did, applied ? ref : null);
      if (!standing.active) return true;
      const node = { did: ctx.config.serviceDid, keys: ctx.nodeKeys };
      const { signingKey } = known;
      const boundaries = applied ? [] : known.boundaries;
      await appendMembership(stores, node, { did, active: !applied, boundaries, signingKey });
      await stores.outbox.add(did, { kind: 'enrollment' });
      for (const stub of stubs) {
        const { collection, rkey } = stub;
        const change = applied ? ({ action: 'delete', collection, rkey } as const) : stub;
        await stores.outbox.add(did, { kind: 'stub', change });
      }
      return true;
    });
  });
  if (isKnown) ctx.publisher.announce();
  return isKnown;
}
