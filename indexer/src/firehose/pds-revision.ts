import type { Transaction } from '../database.ts';

/**
 * Notes that a revision of a person's PDS repo is being applied. Of people who were never seen, only
 * those are remembered for whom `create` is given.
 *
 * @returns false for what is older than what was applied: a replay that must change nothing
 */
export async function takeRevision(
  tx: Transaction,
  did: string,
  rev: string,
  create?: { handle: string | undefined },
): Promise<boolean> {
  if (create) {
    const handle = create.handle ?? null;
    await tx.$executeRaw`
      insert into stratos_actor (did, handle, updated_at) values (${did}, ${handle}, now())
      on conflict (did) do nothing`;
  }
  const [actor] = await tx.$queryRaw<{ pds_rev: string | null }[]>`
    select pds_rev from stratos_actor where did = ${did} for update`;
  if (!actor) return true;
  if (actor.pds_rev !== null && rev < actor.pds_rev) return false;
  const handle = create?.handle;
  await tx.actor.update({ where: { did }, data: { pdsRev: rev, ...(handle && { handle }) } });
  return true;
}
