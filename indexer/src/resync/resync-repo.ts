import { type Did, ProofError } from '@stratos/protocol';
import { recordRefusal } from '../applying/refusal.ts';
import { readStanding } from '../applying/standing.ts';
import { type Database, inTransaction } from '../database.ts';
import { applyRepo } from './apply-repo.ts';
import { fetchRepo, type RepoSource } from './fetch-repo.ts';
import { verifyRepo } from './verify-repo.ts';

/** Milliseconds until a repo is fetched again after a failure; doubled each time. */
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 6 * 60 * 60_000;

export interface ResyncSource extends RepoSource {
  db: Database;
}

/**
 * Fetches one repo that was asked for and takes it over. What fails changes nothing, and is tried again
 * later.
 *
 * @returns true when that is done, or no longer needed
 */
export async function resyncRepo(source: ResyncSource, did: Did): Promise<boolean> {
  const { db, node, signal } = source;
  const nodeDid = node.did;
  const where = { did_nodeDid: { did, nodeDid } };
  const row = await db.resync.findUnique({ where });
  if (!row) return true;
  const { member, head } = await readStanding(db, did, nodeDid);
  if (!member?.active) return true;
  try {
    const car = await fetchRepo(source, did);
    const { signingKey } = member;
    const repo = await verifyRepo(car, { did, signingKey, previous: head });
    const fetched = { nodeDid, repo, asked: row.asked };
    const isDone = await inTransaction(db, (tx) => applyRepo(tx, fetched));
    if (!isDone) await postpone(db, { did, nodeDid });
    return isDone;
  } catch (error) {
    if (!signal.aborted) await postpone(db, { did, nodeDid, error });
    throw error;
  }
}

async function postpone(
  db: Database,
  { did, nodeDid, error }: { did: Did; nodeDid: Did; error?: unknown },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    if (error instanceof ProofError) {
      await recordRefusal(tx, { source: nodeDid, did, reason: `repo:${error.reason}` });
    }
    await tx.$executeRaw`
      update stratos_resync set
        failures = failures + 1,
        due_at = now() + least(
          ${FIRST_RETRY_MS}::float8 * power(2, least(failures, 20)),
          ${LONGEST_RETRY_MS}::float8
        ) * interval '1 millisecond'
      where did = ${did} and node_did = ${nodeDid}`;
  });
}
