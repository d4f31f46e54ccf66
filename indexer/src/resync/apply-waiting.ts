import type { Did } from '@stratos/protocol';
import { judge } from '../applying/judge.ts';
import type { NodeState } from '../applying/node-state.ts';
import { proveEvent } from '../applying/prove-event.ts';
import { recordRefusals } from '../applying/refusal.ts';
import { readStanding } from '../applying/standing.ts';
import { writeRecords } from '../applying/write-verdict.ts';
import { announce } from '../changes/announce.ts';
import type { Transaction } from '../database.ts';
import { showPosts } from '../visibility/readers.ts';
import { keepWaiting, waitingCommits } from './waiting-commits.ts';

/** A waiting commit has its place in the stream behind it. */
const ANY_PLACE: NodeState = { cursor: 0, log: undefined, logRead: 0, leaseUntil: undefined };

/**
 * Applies the commits that waited for a repo on top of where it is now; those that are part of that
 * already are dropped. Like everything that was fetched, they may be in those boundaries alone that the
 * author holds now.
 *
 * @returns false when there is a gap before them still; what is behind it goes on waiting
 */
export async function applyWaiting(tx: Transaction, nodeDid: Did, did: Did): Promise<boolean> {
  const events = await waitingCommits(tx, nodeDid, did);
  if (events.length === 0) return true;
  const standing = await readStanding(tx, did, nodeDid);
  const verdict = await judge(
    await Promise.all(events.map((event) => proveEvent(event, nodeDid))),
    { nodeDid, keys: [], leaseSeconds: 0 },
    { node: ANY_PLACE, people: new Map([[did, { ...standing, isAsked: false }]]) },
  );
  const changes = await writeRecords(tx, nodeDid, verdict);
  const refusals = verdict.refusals.filter(({ reason }) => reason !== 'not-continuous');
  await recordRefusals(tx, nodeDid, refusals);
  await keepWaiting(tx, nodeDid, did, verdict.waiting);
  await showPosts(tx, { nodeDid, dids: [did], uris: [...verdict.written.keys()] });
  await announce(tx, changes);
  return verdict.waiting.length === 0;
}
