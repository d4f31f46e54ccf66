import type { Event } from '@atproto/sync';
import { zone } from '@stratos/protocol/lexicons';
import { applyAccount } from './apply-account.ts';
import { applyEnrollment, type EnrollmentSurroundings } from './apply-enrollment.ts';
import { applyStub } from './apply-stub.ts';

/** The collections that matter on a PDS. */
export const PUBLIC_COLLECTIONS = [
  zone.stratos.actor.enrollment.$nsid,
  zone.stratos.feed.post.$nsid,
];

/** Applies one event of a PDS or relay, whose signature has been checked. May come again. */
export async function applyFirehoseEvent(
  surroundings: EnrollmentSurroundings,
  event: Event,
): Promise<void> {
  const { db, lookups } = surroundings;
  switch (event.event) {
    case 'create':
    case 'update':
    case 'delete':
      if (event.collection === zone.stratos.actor.enrollment.$nsid) {
        await applyEnrollment(surroundings, event);
      } else if (event.collection === zone.stratos.feed.post.$nsid) {
        await applyStub(db, event);
      }
      return;
    case 'identity': {
      const { did } = event;
      const data = { handleDueAt: new Date(), handleFailures: 0 };
      const { count } = await db.actor.updateMany({ where: { did }, data });
      if (count > 0) lookups.findHandle(did);
      return;
    }
    case 'account':
      await applyAccount(db, event);
      return;
    case 'sync':
      return;
  }
}
