import type { Did, Tid } from '@stratos/protocol';
import { lockNodeState } from '../../applying/node-state.ts';
import { readStanding } from '../../applying/standing.ts';
import { announce } from '../../changes/announce.ts';
import { type Database, inTransaction, lockActorAtNode } from '../../database.ts';
import type { Fence } from '../../followers/fence.ts';
import { askForRepos } from '../../resync/ask-for-repos.ts';
import { takeReaders } from '../../visibility/readers.ts';
import type { Hint } from './read-hint.ts';

export interface HintPlace {
  db: Database;
  nodeDid: Did;
  did: Did;
  fence?: Fence | undefined;
}

/** The repo has been fetched, and is not as new as its stream said: for more of that it is not fetched again. */
export class BrokenPromiseError extends Error {
  override name = 'BrokenPromiseError';
}

/**
 * Has a repo be fetched that is said to have changed, and hides until then what is said to be outdated.
 * None of it is believed: what the repo still has is shown again.
 *
 * @param promised - the newest revision of which the stream has told so far
 * @throws TakenOverError, or BrokenPromiseError
 */
export async function applyHints(
  place: HintPlace,
  hints: readonly Hint[],
  promised?: Tid,
): Promise<void> {
  const { db, nodeDid, did, fence } = place;
  await inTransaction(db, async (tx) => {
    await lockNodeState(tx, nodeDid, fence);
    await lockActorAtNode(tx, did, nodeDid);
    const { member, head, isAsked } = await readStanding(tx, did, nodeDid);
    if (promised && head && !isAsked && head.rev < promised) {
      throw new BrokenPromiseError('the repo is not as new as its stream says');
    }
    const news = hints.filter(({ rev }) => !rev || !head || rev > head.rev);
    if (member?.active && news.length > 0) {
      await askForRepos(tx, { nodeDid, dids: [did], reason: 'not-continuous' });
      const uris = news.flatMap(({ outdated }) => outdated);
      await announce(tx, await takeReaders(tx, { nodeDid, uris }));
    }
    // @NOTE without a cursor comes what is kept; with one of which too little is kept, the same word each time
    if (hints.some(({ seq }) => seq === undefined)) {
      await tx.actorCursor.deleteMany({ where: { did, nodeDid } });
    }
    const seq = Math.max(...hints.map((hint) => hint.seq ?? 0));
    if (seq === 0) return;
    await tx.$executeRaw`
      insert into stratos_actor_cursor (did, node_did, seq) values (${did}, ${nodeDid}, ${seq})
      on conflict (did, node_did) do update set
        seq = greatest(stratos_actor_cursor.seq, excluded.seq)`;
  });
}
