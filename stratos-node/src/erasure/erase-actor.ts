import type { Did } from '@stratos/protocol';
import { removeAllBlobs } from '../blobs/remove-all-blobs.ts';
import type { NodeContext } from '../context.ts';
import { appendMembership } from '../enrollment/membership.ts';

/**
 * Erases what a person left behind: repo, key, blobs, events, jobs and session. Of the membership log
 * nothing goes, since it is a chain; an entry at its end says once more that the person is no member.
 *
 * @param leftBefore - the person stays as they are if they left later than this, or came back
 * @returns whether there was something to erase
 */
export async function eraseActor(ctx: NodeContext, did: Did, leftBefore: string): Promise<boolean> {
  const isErased = await ctx.locks.run(did, async () => {
    const known = await ctx.service.enrollments.get(did);
    if (!known || !(await ctx.service.enrollments.hasLeftBefore(did, leftBefore))) return false;
    await removeAllBlobs(ctx, did);
    await ctx.service.transact(async (stores) => {
      await stores.events.deleteCommitsOf(did);
      await stores.outbox.clear(did);
      await stores.oauth.deleteSession(did);
      const node = { did: ctx.config.serviceDid, keys: ctx.nodeKeys };
      const { signingKey } = known;
      // @NOTE also keeps the newest position of the stream from going back
      await appendMembership(stores, node, { did, active: false, boundaries: [], signingKey });
    });
    await ctx.actors.destroy(did);
    ctx.actorKeys.forget(did);
    // @NOTE last: until then this is what says that there is something left to erase
    await ctx.service.transact(async (stores) => {
      await stores.publications.advance(did, 0);
      await stores.enrollments.forget(did);
    });
    return true;
  });
  if (isErased) ctx.publisher.announce();
  return isErased;
}
