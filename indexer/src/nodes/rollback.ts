import type { Did } from '@stratos/protocol';
import { BrokenTrustError, type EventSource } from '../applying/apply-event.ts';
import { lockNodeState } from '../applying/node-state.ts';
import { recordRefusal } from '../applying/refusal.ts';
import { inTransaction } from '../database.ts';
import { askForAllRepos } from '../resync/ask-for-repos.ts';
import { hasNewestEntry } from './membership-log.ts';
import type { FollowerContext } from './node-follower.ts';
import { NodeStreamError } from './node-stream.ts';

/** Whether a connection ended because the node knows less than it told us. */
export function knowsLess(error: unknown): boolean {
  return error instanceof NodeStreamError && error.code === 'FutureCursor';
}

/**
 * Notes that a node was restored from a backup. What was deleted since might be there again, so nothing is
 * taken from it, and its lease runs out, until it has again what it told before (see endRollback), or an
 * operator takes it as it is (see acceptRestored).
 */
export async function noteRollback(
  { db, fence }: Pick<FollowerContext, 'db' | 'fence'>,
  nodeDid: Did,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    await lockNodeState(tx, nodeDid, fence);
    const where = { did: nodeDid, rolledBackAt: null };
    await tx.node.updateMany({ where, data: { rolledBackAt: new Date() } });
    await recordRefusal(tx, { source: nodeDid, reason: 'rolled-back' });
  });
}

/**
 * Takes a node back that was restored from a backup, once it is at or past our position with the log that
 * we know. Positions do not show what was said there, so all repos are fetched anew.
 *
 * @throws BrokenTrustError while it is not
 */
export async function endRollback(
  context: Pick<FollowerContext, 'appView' | 'fetchLog'>,
  source: EventSource & { endpoint: string },
  { isPast, signal }: { isPast: boolean; signal: AbortSignal },
): Promise<void> {
  const { db, nodeDid, fence } = source;
  if (!isPast || !(await hasNewestEntry(context, source, signal))) {
    throw new BrokenTrustError('rolled-back');
  }
  await askForAllRepos(db, nodeDid);
  await inTransaction(db, async (tx) => {
    await lockNodeState(tx, nodeDid, fence);
    await tx.node.updateMany({ where: { did: nodeDid }, data: { rolledBackAt: null } });
  });
}
