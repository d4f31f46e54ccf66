import { TID } from '@atproto/common-web';
import { toTid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { EventOp } from '../storage/actor-storage.ts';
import { SWORDSMITH, type TestNode, type TestPerson } from './test-node.ts';

const COMMITS_PER_TRANSACTION = 1_000;

export interface FillOptions {
  commits: number;
  /** Deletions of records that never were. */
  opsPerCommit: number;
  /** Characters by which each deletion is longer than it has to be. */
  padding?: number;
}

/** Makes a person's log long, without the work of real commits. The repo is of no use after it. */
export async function fillLog(
  node: TestNode,
  { did }: TestPerson,
  { commits, opsPerCommit, padding = 0 }: FillOptions,
): Promise<void> {
  const { actors, publisher } = node.ctx;
  await publisher.beforeWrite(did);
  for (let start = 0; start < commits; start += COMMITS_PER_TRANSACTION) {
    await actors.write(did, async (actor) => {
      const [root, newest] = [await actor.root(), await actor.newestEvent()];
      if (!root || !newest) throw new Error('there is no commit to go by');
      const [, { proof }] = newest;
      const { cid } = root;
      for (let i = start; i < Math.min(commits, start + COMMITS_PER_TRANSACTION); i += 1) {
        const rev = toTid(TID.nextStr());
        const ops = Array.from({ length: opsPerCommit }, (_, op): EventOp => {
          const path = `${zone.stratos.feed.post.$nsid}/${i}-${op}${'-'.repeat(padding)}`;
          return { action: 'delete', path, prev: cid, prevBoundaries: [SWORDSMITH] };
        });
        const time = new Date().toISOString();
        const event = { time, rev, commit: cid, ops, proof };
        await actor.applyCommit({ root: { cid, rev }, newBlocks: [], removedCids: [], event });
      }
    });
  }
  await publisher.publish(did);
}
