import type { Transaction } from '../database.ts';

/** Whether a commit comes right after what is applied of a person's PDS repo, as far as anything is. */
export async function isContinuous(
  db: Pick<Transaction, 'actor'>,
  { did, rev, since }: { did: string; rev: string; since: string | null },
): Promise<boolean> {
  const { pdsRev } = (await db.actor.findUnique({ where: { did } })) ?? { pdsRev: null };
  return pdsRev === null || rev <= pdsRev || since === pdsRev;
}

/**
 * Notes that a revision of a person's PDS repo is being applied. Of people who were never seen, only
 * those are remembered who are `isNew`: their handle is due to be looked up.
 *
 * @returns false for what is older than what was applied: a replay that must change nothing
 */
export async function takeRevision(
  tx: Transaction,
  did: string,
  rev: string,
  { isNew = false } = {},
): Promise<boolean> {
  if (isNew) {
    await tx.$executeRaw`
      insert into stratos_actor (did, handle_due_at, updated_at) values (${did}, now(), now())
      on conflict (did) do nothing`;
  }
  const [actor] = await tx.$queryRaw<{ pds_rev: string | null }[]>`
    select pds_rev from stratos_actor where did = ${did} for update`;
  if (!actor) return true;
  if (actor.pds_rev !== null && rev < actor.pds_rev) return false;
  await tx.actor.update({ where: { did }, data: { pdsRev: rev } });
  return true;
}
