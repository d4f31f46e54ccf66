import { Prisma } from '@stratos/prisma';
import type { Did } from '@stratos/protocol';
import { type Database, inTransaction, lockActorAtNode, type Transaction } from '../database.ts';
import { refreshReadersOf } from '../visibility/readers.ts';

/**
 * Why a repo is fetched anew: its commits do not follow each other (`not-continuous`), its author was
 * away, and commits came without content, or held fewer boundaries (`returned`), events of the node are no longer to be had
 * (`outdated`), it was written before proofs were kept (`unproven`), or an operator wants it (`operator`).
 */
export type ResyncReason = 'not-continuous' | 'returned' | 'outdated' | 'unproven' | 'operator';

export interface ResyncRequest {
  nodeDid: Did;
  dids: Iterable<Did>;
  reason: 'not-continuous' | 'returned' | 'operator';
}

const PEOPLE_PER_TRANSACTION = 200;

/**
 * Notes that repos are to be fetched anew. Called under their locks, in the transaction that shows the
 * need.
 *
 * @returns those of which that was not known
 */
export async function askForRepos(
  tx: Transaction,
  { nodeDid, dids, reason }: ResyncRequest,
): Promise<Set<Did>> {
  // @NOTE a commit must not undo the waiting after a failure, or every commit would be a fetch
  const isFresh = reason !== 'not-continuous';
  const rows = await tx.$queryRaw<{ did: Did; asked: number }[]>`
    insert into stratos_resync (did, node_did, reason, due_at)
    select did, ${nodeDid}, ${reason}, now() from unnest(${[...dids]}::text[]) as did
    on conflict (did, node_did) do update set
      asked = stratos_resync.asked + 1,
      failures = case when ${isFresh} then 0 else stratos_resync.failures end,
      due_at = case when ${isFresh} or stratos_resync.failures = 0
        then now() else stratos_resync.due_at end
    returning did, asked`;
  return new Set(rows.filter(({ asked }) => asked === 1).map(({ did }) => did));
}

/** Whether the reason is that something is missing; a repo of which nothing is goes on meanwhile. */
export function misses(reason: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`${reason} not in ('unproven', 'operator')`;
}

/** Notes the same of commits that wait: more of them are no reason to fetch more often. */
export async function askOnce(
  tx: Transaction,
  nodeDid: Did,
  dids: ReadonlySet<Did>,
): Promise<void> {
  await tx.$executeRaw`
    insert into stratos_resync (did, node_did, reason, due_at)
    select did, ${nodeDid}, 'not-continuous', now() from unnest(${[...dids]}::text[]) as did
    on conflict (did, node_did) do update set reason = excluded.reason
      where not ${misses(Prisma.sql`stratos_resync.reason`)}`;
}

/**
 * Notes that all repos of a node are to be fetched anew, and hides what is known of them until then:
 * any of it may have been deleted meanwhile.
 *
 * Commits that the node still has wait for that as well. Who was a member of what when they were made is
 * not known any more, so they count like all that is fetched: in the boundaries alone that their authors
 * hold now. What was in others stays out, since nothing shows that it might be there.
 */
export async function askForAllRepos(db: Database, nodeDid: Did): Promise<void> {
  for (let last: string | undefined = ''; last !== undefined; ) {
    last = await askForSome(db, nodeDid, last);
  }
}

async function askForSome(db: Database, nodeDid: Did, after: string): Promise<string | undefined> {
  const found = await db.$queryRaw<{ did: string }[]>`
    select did from (
      select did from stratos_membership where node_did = ${nodeDid} and active
      union select did from stratos_repo where node_did = ${nodeDid}
    ) as known
    where did collate "C" > ${after} collate "C"
    order by did collate "C" limit ${PEOPLE_PER_TRANSACTION}`;
  if (found.length === 0) return undefined;
  const dids = found.map(({ did }) => did);
  await inTransaction(db, async (tx) => {
    for (const did of dids) await lockActorAtNode(tx, did, nodeDid);
    await tx.$executeRaw`
      insert into stratos_resync (did, node_did, reason, due_at)
      select did, ${nodeDid}, 'outdated', now() from unnest(${dids}::text[]) as did
      on conflict (did, node_did) do update set
        reason = excluded.reason, asked = stratos_resync.asked + 1, failures = 0, due_at = now()`;
    await refreshReadersOf(tx, dids, nodeDid);
  });
  return dids.at(-1);
}
