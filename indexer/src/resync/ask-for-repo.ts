import type { Did } from '@stratos/protocol';
import { type Database, inTransaction, lockActorAtNode, type Transaction } from '../database.ts';

/**
 * Why a repo is fetched anew: its commits do not follow each other (`not-continuous`), its author was
 * away, and commits came without content (`returned`), or events of the node are no longer to be had
 * (`outdated`).
 */
export type ResyncReason = 'not-continuous' | 'returned' | 'outdated';

export interface ResyncRequest {
  did: Did;
  nodeDid: Did;
  reason: Exclude<ResyncReason, 'outdated'>;
}

const PEOPLE_PER_TRANSACTION = 200;

/**
 * Notes that a repo is to be fetched anew. Called under the lock of that pair, in the transaction that
 * shows the need.
 *
 * @returns false if that was known already
 */
export async function askForRepo(tx: Transaction, request: ResyncRequest): Promise<boolean> {
  const { did, nodeDid, reason } = request;
  // @NOTE a commit must not undo the waiting after a failure, or every commit would be a fetch
  const isFresh = reason === 'returned';
  const [row] = await tx.$queryRaw<{ asked: number }[]>`
    insert into stratos_resync (did, node_did, reason, due_at)
    values (${did}, ${nodeDid}, ${reason}, now())
    on conflict (did, node_did) do update set
      asked = stratos_resync.asked + 1,
      failures = case when ${isFresh} then 0 else stratos_resync.failures end,
      due_at = case when ${isFresh} or stratos_resync.failures = 0
        then now() else stratos_resync.due_at end
    returning asked`;
  return row?.asked === 1;
}

/**
 * Notes that all repos of a node are to be fetched anew, and hides what is known of them until then:
 * any of it may have been deleted meanwhile.
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
    await tx.$executeRaw`
      delete from stratos_post_boundary where node_did = ${nodeDid} and did = any(${dids}::text[])`;
  });
  return dids.at(-1);
}
