import type { Did } from '@stratos/protocol';
import { judge } from '../applying/judge.ts';
import { positionOf } from '../applying/node-event.ts';
import type { NodeState } from '../applying/node-state.ts';
import { type ProvenEvent, proveEvent } from '../applying/prove-event.ts';
import { recordRefusals } from '../applying/refusal.ts';
import { readStanding } from '../applying/standing.ts';
import type { Verdict } from '../applying/verdict.ts';
import { writeRecords } from '../applying/write-verdict.ts';
import { announce } from '../changes/announce.ts';
import type { Transaction } from '../database.ts';
import { showPosts } from '../visibility/readers.ts';
import { keepWaiting, waitingCommits } from './waiting-commits.ts';

/** A waiting commit has its place in the stream behind it. */
const ANY_PLACE: NodeState = {
  ...{ cursor: 0, log: undefined, logRead: 0 },
  ...{ leaseUntil: undefined, held: [] },
};

/**
 * Applies the commits that waited for a repo on top of where it is now; those that are part of that
 * already are dropped. Like everything that was fetched, they may be in those boundaries alone that the
 * author holds now.
 *
 * @param arrived - position of the newest commit that had come before the repo was asked for. What came
 *   until then and neither is part of the repo nor follows it is no commit of it, and is refused.
 * @returns false when there is a gap before them still; what is behind it goes on waiting
 */
export async function applyWaiting(
  tx: Transaction,
  nodeDid: Did,
  { did, arrived }: { did: Did; arrived: number },
): Promise<boolean> {
  const kept = await waitingCommits(tx, nodeDid, did);
  if (kept.length === 0) return true;
  const proven = await Promise.all(kept.map((event) => proveEvent(event, nodeDid)));
  const isOld = ({ body }: ProvenEvent) => (positionOf(body) ?? 0) <= arrived;
  for (const event of proven.filter(isOld)) {
    const { waiting } = await apply(tx, nodeDid, { did, events: [event] });
    const refusals = waiting.map(({ streamSeq }) => ({ did, streamSeq, reason: 'not-continuous' }));
    await recordRefusals(tx, nodeDid, refusals);
  }
  const events = proven.filter((event) => !isOld(event));
  const { waiting } = await apply(tx, nodeDid, { did, events });
  await keepWaiting(tx, nodeDid, did, waiting);
  return waiting.length === 0;
}

async function apply(
  tx: Transaction,
  nodeDid: Did,
  { did, events }: { did: Did; events: readonly ProvenEvent[] },
): Promise<Verdict> {
  const standing = await readStanding(tx, did, nodeDid);
  const verdict = await judge(
    events,
    { nodeDid, keys: [], leaseSeconds: 0 },
    { node: ANY_PLACE, people: new Map([[did, { ...standing, isAsked: false }]]) },
  );
  const changes = await writeRecords(tx, nodeDid, verdict);
  const refusals = verdict.refusals.filter(({ reason }) => reason !== 'not-continuous');
  await recordRefusals(tx, nodeDid, refusals);
  await showPosts(tx, { nodeDid, dids: [did], uris: [...verdict.written.keys()] });
  await announce(tx, changes);
  return verdict;
}
