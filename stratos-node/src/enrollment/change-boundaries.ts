import {
  type Boundary,
  type Did,
  MAX_ENROLLMENT_BOUNDARIES,
  sortedBoundaries,
} from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import { appendMembership } from './membership.ts';

/**
 * Gives a person other boundaries, at once for reads here and on the stream; the enrollment record
 * on the PDS follows. Throws `NotFound` for somebody who is not enrolled.
 *
 * @param change - from the boundaries of now to those from now on
 * @returns the boundaries from now on, sorted
 */
export async function changeBoundaries(
  ctx: NodeContext,
  did: Did,
  change: (now: readonly Boundary[]) => Iterable<Boundary>,
): Promise<Boundary[]> {
  const boundaries = await ctx.locks.run(did, () =>
    ctx.service.transact(async (stores) => {
      const known = await stores.enrollments.get(did);
      if (!known?.active) throw new NodeError('NotFound');
      const next = sortedBoundaries(change(known.boundaries));
      if (next.length > MAX_ENROLLMENT_BOUNDARIES) {
        throw new NodeError('InvalidRequest', `At most ${MAX_ENROLLMENT_BOUNDARIES} boundaries`);
      }
      if (next.join() === known.boundaries.join()) return next;
      // @NOTE what was written as a member comes before the entry that takes the membership
      await ctx.publisher.publishWithin(stores, did);
      await stores.enrollments.setBoundaries(did, next);
      const node = { did: ctx.config.serviceDid, keys: ctx.nodeKeys };
      const { signingKey } = known;
      await appendMembership(stores, node, { did, active: true, boundaries: next, signingKey });
      await stores.outbox.add(did, { kind: 'enrollment' });
      return next;
    }),
  );
  ctx.publisher.announce();
  return boundaries;
}
