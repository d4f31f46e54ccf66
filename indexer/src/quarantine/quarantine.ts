import type { Quarantined } from '@stratos/prisma';
import { type Did, isDid } from '@stratos/protocol';
import { type Database, inTransaction, lockActorsAtNode, type Transaction } from '../database.ts';
import { askForPdsResync } from '../firehose/ask-for-pds-resync.ts';
import { askForRepos } from '../resync/ask-for-repos.ts';

export interface QuarantineSelection {
  /** Node DID, or the address of a firehose. */
  source?: string | undefined;
  did?: string | undefined;
  reason?: string | undefined;
}

/** The newest of what was refused, and how much of it there is. */
export async function listQuarantined(
  db: Database,
  selection: QuarantineSelection,
  limit: number,
): Promise<{ rows: Quarantined[]; count: number }> {
  const where = conditionOf(selection);
  const count = await db.quarantined.count({ where });
  const orderBy = [{ refusedAt: 'desc' as const }, { id: 'desc' as const }];
  return { count, rows: await db.quarantined.findMany({ where, orderBy, take: limit }) };
}

export async function findQuarantined(db: Database, id: bigint): Promise<Quarantined | undefined> {
  return (await db.quarantined.findUnique({ where: { id } })) ?? undefined;
}

/** What becomes of something that is to be tried again. */
export type Retried =
  /** The person's repo is fetched from the node anew. */
  | 'repo'
  /** The person's public records are read from their PDS anew. */
  | 'public-records'
  /** The person is no member of the node, so that there is nothing to fetch. */
  | 'not-a-member'
  /** It is about a whole node, which tries by itself. */
  | 'node'
  /** Too many strangers' records wait to be read. */
  | 'no-room';

/** Asks anew for what it takes to judge something that was refused, and notes that. */
export async function retryQuarantined(
  db: Database,
  { id, nodeDid: source, did }: Quarantined,
): Promise<Retried> {
  if (!did || !isDid(did)) return 'node';
  return inTransaction(db, async (tx) => {
    const outcome = isDid(source)
      ? await askForRepo(tx, source, did)
      : await askForPublicRecords(tx, did);
    if (outcome === 'repo' || outcome === 'public-records') {
      await tx.quarantined.updateMany({ where: { id }, data: { retriedAt: new Date() } });
    }
    return outcome;
  });
}

async function askForRepo(tx: Transaction, nodeDid: Did, did: Did): Promise<Retried> {
  await lockActorsAtNode(tx, [did], nodeDid);
  const member = await tx.membership.findUnique({ where: { did_nodeDid: { did, nodeDid } } });
  if (!member?.active) return 'not-a-member';
  await askForRepos(tx, { nodeDid, dids: [did], reason: 'operator' });
  return 'repo';
}

async function askForPublicRecords(tx: Transaction, did: Did): Promise<Retried> {
  const isAsked = await askForPdsResync(tx, { did, reason: 'operator' });
  return isAsked ? 'public-records' : 'no-room';
}

function conditionOf({ source, did, reason }: QuarantineSelection) {
  return {
    ...(source !== undefined && { nodeDid: source }),
    ...(did !== undefined && { did }),
    ...(reason !== undefined && { reason }),
  };
}
