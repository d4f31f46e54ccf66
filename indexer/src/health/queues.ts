import type { Database } from '../database.ts';

/** How much waits or is noted in the database, for all indexers together. */
export interface Queues {
  /** Repos that are to be fetched anew, and those of them of which an attempt failed. */
  resyncs: number;
  failingResyncs: number;
  /** Commits that wait for such a repo. */
  waitingCommits: number;
  /** People whose public records are to be read from their PDS. */
  pdsResyncs: number;
  /** Handles that are to be looked up now. */
  handles: number;
  /** Enrollments that name a node that has not been found. */
  unfoundNodes: number;
  /** What is hidden before its turn. */
  holds: number;
  /** Refusals that are listed. */
  quarantined: number;
}

export async function readQueues(db: Database): Promise<Queues> {
  const [row] = await db.$queryRaw<QueueRow[]>`
    select
      (select count(*)::int from stratos_resync s
        join stratos_membership m using (did, node_did) where m.active) as resyncs,
      (select count(*)::int from stratos_resync s
        join stratos_membership m using (did, node_did) where m.active and s.failures > 0)
        as failing_resyncs,
      (select count(*)::int from stratos_waiting_commit) as waiting_commits,
      (select count(*)::int from stratos_pds_resync) as pds_resyncs,
      (select count(*)::int from stratos_actor where handle_due_at <= now()) as handles,
      (select count(*)::int from stratos_enrollment where node_did is null) as unfound_nodes,
      (select count(*)::int from stratos_hold) as holds,
      (select count(*)::int from stratos_quarantine) as quarantined`;
  return {
    resyncs: row?.resyncs ?? 0,
    failingResyncs: row?.failing_resyncs ?? 0,
    waitingCommits: row?.waiting_commits ?? 0,
    pdsResyncs: row?.pds_resyncs ?? 0,
    handles: row?.handles ?? 0,
    unfoundNodes: row?.unfound_nodes ?? 0,
    holds: row?.holds ?? 0,
    quarantined: row?.quarantined ?? 0,
  };
}

interface QueueRow {
  resyncs: number;
  failing_resyncs: number;
  waiting_commits: number;
  pds_resyncs: number;
  handles: number;
  unfound_nodes: number;
  holds: number;
  quarantined: number;
}
