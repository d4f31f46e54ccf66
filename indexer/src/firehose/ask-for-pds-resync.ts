import type { Transaction } from '../database.ts';

/** People of whom nothing is known whose records wait to be read: anybody can make up another. */
const MAX_STRANGERS = 100_000;

/**
 * Has somebody's public records be read anew from their PDS. What has failed before goes on waiting, unless
 * an operator asks.
 *
 * @returns false when too much waits already
 */
export async function askForPdsResync(
  tx: Transaction,
  { did, reason }: { did: string; reason: string },
): Promise<boolean> {
  const isFresh = reason === 'operator';
  const asked = await tx.$executeRaw`
    insert into stratos_pds_resync (did, reason)
    select ${did}, ${reason}
    where exists (select 1 from stratos_enrollment where did = ${did})
      or exists (select 1 from stratos_pds_resync where did = ${did})
      or (select count(*) from (select 1 from stratos_pds_resync limit ${MAX_STRANGERS}) s)
        < ${MAX_STRANGERS}
    on conflict (did) do update set
      reason = excluded.reason, asked = stratos_pds_resync.asked + 1,
      failures = case when ${isFresh} then 0 else stratos_pds_resync.failures end,
      due_at = case when ${isFresh} then now() else stratos_pds_resync.due_at end`;
  return asked > 0;
}

/**
 * Has somebody's public records be read once more, and soon, if they are to be read at all: what is being
 * read may be of before.
 *
 * @returns whether they are
 */
export async function askOnceMore(tx: Transaction, did: string): Promise<boolean> {
  const data = { asked: { increment: 1 }, dueAt: new Date() };
  const { count } = await tx.pdsResync.updateMany({ where: { did }, data });
  return count > 0;
}

/** Has the public records be read anew of everybody of whom there is an enrollment, and for others who may have one. */
export async function askForPdsResyncs(
  tx: Transaction,
  { dids, reason }: { dids: readonly string[]; reason: string },
): Promise<void> {
  await tx.$executeRaw`
    insert into stratos_pds_resync (did, reason)
    select did, ${reason} from stratos_enrollment
    union select did, ${reason} from unnest(${dids}::text[]) as did
    on conflict (did) do update set
      reason = excluded.reason, asked = stratos_pds_resync.asked + 1, failures = 0, due_at = now()`;
}
