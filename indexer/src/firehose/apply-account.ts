import { announce } from '../changes/announce.ts';
import { lockActors, lockReaders, type Transaction } from '../database.ts';
import { refreshReaders } from '../visibility/readers.ts';
import type { PdsSurroundings } from './apply-enrollment.ts';

export interface AccountNews {
  did: string;
  active: boolean;
  /** Why it is not active. */
  status?: string | undefined;
}

/**
 * Takes over whether an account is in use; while it is not, nobody reads what it wrote. Of a deleted
 * one, its own words are gone with it. Announced when it is news.
 */
export async function applyAccount({ write }: PdsSurroundings, news: AccountNews): Promise<void> {
  await write((tx) => writeAccount(tx, news));
}

/** The same in a transaction that holds no locks of actors yet. */
export async function writeAccount(
  tx: Transaction,
  { did, active, status }: AccountNews,
): Promise<void> {
  const known = await nodesOf(tx, did);
  for (const nodeDid of known) await lockReaders(tx, [did], nodeDid);
  await lockActors(tx, [did]);
  const nodes = await nodesOf(tx, did);
  for (const nodeDid of nodes) {
    if (!known.includes(nodeDid)) await lockReaders(tx, [did], nodeDid);
  }
  const { count } = await tx.actor.updateMany({
    where: { did, active: !active },
    data: { active },
  });
  if (status === 'deleted') {
    await tx.enrollment.deleteMany({ where: { did } });
    await tx.stub.deleteMany({ where: { did } });
  }
  for (const nodeDid of nodes) await refreshReaders(tx, did, nodeDid);
  if (count > 0) await announce(tx, [{ kind: 'account', did }]);
}

/** In one order for everybody, so that two who lock them do not wait for each other. */
async function nodesOf(tx: Transaction, did: string): Promise<string[]> {
  const memberships = await tx.membership.findMany({ where: { did }, orderBy: { nodeDid: 'asc' } });
  return memberships.map(({ nodeDid }) => nodeDid);
}
