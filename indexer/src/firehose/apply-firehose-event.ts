import type { CommitEvt } from '@atproto/sync';
import { zone } from '@stratos/protocol/lexicons';
import { type AccountNews, applyAccount } from './apply-account.ts';
import { applyEnrollment, type PdsSurroundings } from './apply-enrollment.ts';
import { applyStub } from './apply-stub.ts';

type FirehoseEvent =
  | CommitEvt
  | { event: 'identity'; did: string }
  | ({ event: 'account' } & AccountNews);

/** Whether people may have less to read after an event. */
export function takesBack(event: FirehoseEvent): boolean {
  switch (event.event) {
    case 'account':
      return !event.active;
    case 'update':
    case 'delete':
      return event.collection === zone.stratos.actor.enrollment.$nsid;
    default:
      return false;
  }
}

/** Applies one event of a PDS or relay, whose signature has been checked. May come again. */
export async function applyFirehoseEvent(
  surroundings: PdsSurroundings,
  event: FirehoseEvent,
): Promise<void> {
  const { write, lookups } = surroundings;
  switch (event.event) {
    case 'create':
    case 'update':
    case 'delete':
      if (event.collection === zone.stratos.actor.enrollment.$nsid) {
        await applyEnrollment(surroundings, event);
      } else if (event.collection === zone.stratos.feed.post.$nsid) {
        await applyStub(surroundings, event);
      }
      return;
    case 'identity': {
      const { did } = event;
      const data = { handleDueAt: new Date(), handleFailures: 0 };
      const { count } = await write((tx) => tx.actor.updateMany({ where: { did }, data }));
      if (count > 0) lookups.findHandle(did);
      return;
    }
    case 'account':
      await applyAccount(surroundings, event);
      return;
  }
}
