import type { Did } from '@stratos/protocol';
import { announce, type Change } from '../changes/announce.ts';
import { lockActors, lockReaders, type Transaction } from '../database.ts';
import { releaseHolds } from '../holds/release-holds.ts';
import { askForRepos } from '../resync/ask-for-repos.ts';
import { holdCommits } from '../resync/waiting-commits.ts';
import { refreshReadersOf, showPosts } from '../visibility/readers.ts';
import { takePosts, writePlacedPosts, writeTombstones } from './apply-post.ts';
import { forgetRepos } from './forget-repos.ts';
import type { NodeState } from './node-state.ts';
import { type ProofKey, proofsOf, removeUnusedProofs, writeProofs } from './proofs.ts';
import { recordRefusals } from './refusal.ts';
import { writeHeads } from './standing.ts';
import type { Verdict } from './verdict.ts';
import { restoreBoundaries, writeMemberships } from './write-memberships.ts';

export interface VerdictPlace {
  nodeDid: Did;
  /** Of whom the verdict is. */
  dids: readonly Did[];
  /** Positions of events that were put ahead of their turn, and are still to come. */
  ahead?: (() => readonly number[]) | undefined;
}

/**
 * Writes all that a run of events comes to, with a few statements however many they are. What others
 * have to wait for comes last: for posts that nobody knows yet, a revocation waits only while they are shown.
 */
export async function writeVerdict(
  tx: Transaction,
  { nodeDid, dids, ahead }: VerdictPlace,
  verdict: Verdict,
  before: NodeState,
): Promise<void> {
  const people = [...new Set([...dids, ...before.held])];
  if (!verdict.isOnlyNew) await lockReaders(tx, people, nodeDid);
  await forgetRepos(tx, nodeDid, [...verdict.forgotten]);
  const changes = await writeMemberships(tx, nodeDid, verdict.memberships);
  changes.push(...(await writeRecords(tx, nodeDid, verdict)));
  if (verdict.incomplete.size > 0) {
    await askForRepos(tx, { nodeDid, dids: verdict.incomplete, reason: 'returned' });
  }
  changes.push(...(await holdCommits(tx, nodeDid, verdict.waiting)));
  await recordRefusals(tx, nodeDid, verdict.refusals);
  if (verdict.isOnlyNew) await lockReaders(tx, people, nodeDid);
  const released = await releaseHolds(tx, {
    nodeDid,
    dids: people,
    cursor: verdict.cursor,
    ahead: verdict.lease && ahead?.(),
  });
  changes.push(...(await restoreBoundaries(tx, nodeDid, released.dids)));
  await writePosition(tx, nodeDid, verdict);
  if (verdict.lease && isLapsed(before)) changes.push({ kind: 'node', nodeDid });

  const shown = [...verdict.written.values(), ...released.posts];
  await showPosts(tx, {
    nodeDid,
    dids: [...new Set(shown.map(({ did }) => did))],
    uris: [...new Set(shown.map(({ uri }) => uri))],
  });
  const turned = [...verdict.memberships].filter(([, { isTurn }]) => isTurn).map(([did]) => did);
  await lockActors(tx, turned);
  await refreshReadersOf(tx, [...new Set([...turned, ...released.dids])], nodeDid);
  await announce(tx, changes);
}

/** Writes what commits come to: posts and what shows them, and where their repos are now. */
export async function writeRecords(
  tx: Transaction,
  nodeDid: Did,
  verdict: Verdict,
): Promise<Change[]> {
  const { removed, replaced, written, buried, proofs, heads } = verdict;
  const taken = await takePosts(tx, { nodeDid, uris: [...removed] });
  const outdated: ProofKey[] = [
    ...taken.proofs,
    ...(await proofsOf(
      tx,
      nodeDid,
      [...replaced].filter((uri) => written.has(uri)),
    )),
  ];
  await writeTombstones(
    tx,
    nodeDid,
    Array.from(buried, ([uri, rev]) => ({ uri, rev })),
  );
  await writeProofs(tx, nodeDid, proofs);
  await writePlacedPosts(tx, nodeDid, [...written.values()]);
  await removeUnusedProofs(tx, nodeDid, outdated);
  await writeHeads(tx, nodeDid, [...heads.values()]);
  return taken.changes;
}

async function writePosition(tx: Transaction, nodeDid: Did, verdict: Verdict): Promise<void> {
  const { cursor, newest, log, lease } = verdict;
  await tx.$executeRaw`
    update stratos_node set
      stream_cursor = ${cursor},
      newest_seq = greatest(newest_seq, ${newest}),
      membership_seq = ${log?.seq ?? 0},
      membership_head = ${log?.cid ?? null},
      heartbeat_at = greatest(heartbeat_at, ${lease?.heartbeatAt ?? null}::timestamptz),
      lease_until = greatest(lease_until, ${lease?.until ?? null}::timestamptz)
    where did = ${nodeDid}`;
}

function isLapsed({ leaseUntil }: NodeState): boolean {
  return leaseUntil === undefined || leaseUntil.getTime() < Date.now();
}
