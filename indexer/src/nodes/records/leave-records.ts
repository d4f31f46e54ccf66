import type { Did } from '@stratos/protocol';
import type { EventSource } from '../../applying/apply-event.ts';
import { lockNodeState } from '../../applying/node-state.ts';
import { announce } from '../../changes/announce.ts';
import { inTransaction } from '../../database.ts';
import { readMembershipLog } from '../membership-log.ts';
import type { FollowerContext } from '../node-follower.ts';
import { applyWords } from './apply-words.ts';
import { decodeWord } from './attested-member.ts';

const PEOPLE_PER_TRANSACTION = 200;

/**
 * Takes a node's log for what it said before without one. Nobody reads anything of the node until its
 * stream shows that all of the log is known: on the way there, people are members of what they once were.
 */
export async function leaveRecords(
  context: Pick<FollowerContext, 'appView' | 'fetchLog'>,
  source: EventSource & { endpoint: string },
  signal: AbortSignal,
): Promise<void> {
  const { db, nodeDid, fence } = source;
  await inTransaction(db, async (tx) => {
    await lockNodeState(tx, nodeDid, fence);
    await tx.node.update({ where: { did: nodeDid }, data: { leaseUntil: null } });
    await announce(tx, [{ kind: 'node', nodeDid }]);
  });
  await readMembershipLog(context, source, signal);
  await dropAttested(source);
  await inTransaction(db, async (tx) => {
    await lockNodeState(tx, nodeDid, fence);
    await tx.actorCursor.deleteMany({ where: { nodeDid } });
    await tx.node.update({ where: { did: nodeDid }, data: { stream: 'service' } });
  });
}

/** Has those be members no longer of whom the log says nothing. */
async function dropAttested(source: EventSource): Promise<void> {
  const { db, nodeDid } = source;
  for (let last = ''; ; ) {
    const rows = await db.membership.findMany({
      where: { nodeDid, active: true, seq: 1, did: { gt: last } },
      orderBy: { did: 'asc' },
      take: PEOPLE_PER_TRANSACTION,
    });
    const attested = rows.filter(({ entry }) => entry && decodeWord(entry));
    await applyWords(source, new Map(attested.map(({ did }) => [did as Did, undefined])));
    if (rows.length < PEOPLE_PER_TRANSACTION) return;
    last = rows.at(-1)?.did ?? '';
  }
}
