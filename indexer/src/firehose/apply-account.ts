import type { AccountEvt } from '@atproto/sync';
import { type Database, inTransaction, lockActorAtNode } from '../database.ts';
import { refreshReaders } from '../visibility/readers.ts';

/** Takes over whether an account is in use. Of a deleted one, its own words are gone with it. */
export async function applyAccount(db: Database, event: AccountEvt): Promise<void> {
  const { did, active, status } = event;
  await inTransaction(db, async (tx) => {
    await tx.actor.updateMany({ where: { did }, data: { active } });
    if (status !== 'deleted') return;
    const enrollments = await tx.enrollment.findMany({ where: { did } });
    const nodes = [...new Set(enrollments.map(({ nodeDid }) => nodeDid))]
      .filter((nodeDid) => nodeDid !== null)
      .sort();
    for (const nodeDid of nodes) await lockActorAtNode(tx, did, nodeDid);
    await tx.enrollment.deleteMany({ where: { did } });
    await tx.stub.deleteMany({ where: { did } });
    for (const nodeDid of nodes) await refreshReaders(tx, did, nodeDid);
  });
}
