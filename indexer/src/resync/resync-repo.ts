import {
  type Did,
  openRepo,
  ProofCar,
  ProofError,
  type RepoRecord,
  repoRecords,
} from '@stratos/protocol';
import type { CidBytes } from '@stratos/protocol/tree';
import { recordRefusal } from '../applying/refusal.ts';
import { type Member, readStanding, type Standing } from '../applying/standing.ts';
import { type Database, inTransaction } from '../database.ts';
import { applyRepo, checkOrder } from './apply-repo.ts';
import { type FetchedCar, fetchRepo, type RepoSource } from './fetch-repo.ts';
import { newestWaiting } from './waiting-commits.ts';

/** Milliseconds until a repo is fetched again after a failure; doubled each time. */
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 6 * 60 * 60_000;

/** Of the records of one repo, which stay in memory until they are written. */
const SMALL_BYTES = 2 * 1024 * 1024;

export interface ResyncSource extends RepoSource {
  db: Database;
  /** Does the work on so many bytes when there are memory and connections for it. */
  inTurn?: <T>(bytes: number, work: () => Promise<T>) => Promise<T>;
}

export interface ResyncOutcome {
  /** False when the repo has to be fetched once more. */
  isDone: boolean;
  /** How many were fetched. */
  records: number;
}

/**
 * Fetches one repo that was asked for and takes it over, if it is still needed. What fails changes
 * nothing, and is tried again later.
 */
export async function resyncRepo(source: ResyncSource, did: Did): Promise<ResyncOutcome> {
  const { db, node, signal, inTurn = (_, work) => work() } = source;
  const nodeDid = node.did;
  const row = await db.resync.findUnique({ where: { did_nodeDid: { did, nodeDid } } });
  const standing = row && (await readStanding(db, did, nodeDid));
  if (!row || !standing?.member?.active) return { isDone: true, records: 0 };
  const { member, head } = standing;
  const isRepair = row.reason === 'operator';
  try {
    const arrived = await newestWaiting(db, nodeDid, did);
    await using car = await fetchRepo(source, did);
    const outcome = await inTurn(car.blocks.size, () =>
      takeOver(db, { did, nodeDid, car, asked: row.asked, isRepair, arrived, member, head }),
    );
    if (!outcome.isDone) await postpone(db, { did, nodeDid });
    return outcome;
  } catch (error) {
    if (!signal.aborted) await postpone(db, { did, nodeDid, error });
    throw error;
  }
}

interface Fetched {
  did: Did;
  nodeDid: Did;
  car: FetchedCar;
  asked: number;
  isRepair: boolean;
  arrived: number;
  member: Member;
  head: Standing['head'];
}

/** Proves all of it, before any of it is written. */
async function takeOver(db: Database, fetched: Fetched): Promise<ResyncOutcome> {
  const { did, nodeDid, car, asked, isRepair, arrived, member, head } = fetched;
  const { blocks, root } = car;
  const repo = await openRepo(blocks, root, { did, signingKeys: [member.signingKey] });
  checkOrder(repo, head);
  const proof = new ProofCar(repo.commit);
  proof.add(root.bytes, repo.block);
  const onNode = (cid: CidBytes, bytes: Uint8Array) => proof.add(cid, bytes);
  const small: RepoRecord[] = [];
  let [count, bytes] = [0, 0];
  for await (const record of repoRecords(blocks, repo, { onNode })) {
    count += 1;
    bytes += record.bytes.length;
    if (bytes < SMALL_BYTES) small.push(record);
  }
  const isSmall = small.length === count;
  const records = () => (isSmall ? small : repoRecords(blocks, repo));
  const isDone = await applyRepo(db, {
    nodeDid,
    repo,
    records,
    proof: proof.bytes(),
    asked,
    isRepair,
    arrived,
  });
  return { isDone, records: count };
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
