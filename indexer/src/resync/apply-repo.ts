import {
  type Did,
  ProofError,
  type RepoHead,
  type RepoRecord,
  readRecord,
  type SignedRepo,
} from '@stratos/protocol';
import { textOf } from '@stratos/protocol/tree';
import { type AcceptedPost, buryPosts, judgePost, removePosts } from '../applying/apply-post.ts';
import { writeProofs } from '../applying/proofs.ts';
import { recordRefusals } from '../applying/refusal.ts';
import { readStanding, writeHead } from '../applying/standing.ts';
import { announce, type Change } from '../changes/announce.ts';
import { type Database, inTransaction, lockActorAtNode, type Transaction } from '../database.ts';
import { giveReaders, takeReaders } from '../visibility/readers.ts';
import { applyWaiting } from './apply-waiting.ts';
import { findDamaged } from './find-damaged.ts';
import { postPages, type RecordPage } from './record-pages.ts';
import { writeStorable } from './write-storable.ts';

export interface FetchedRepo {
  nodeDid: Did;
  repo: SignedRepo;
  /** Gives all of its records, in the order of their keys. */
  records: () => Iterable<RepoRecord> | AsyncIterable<RepoRecord>;
  /** A CAR of its commit and its tree. */
  proof: Uint8Array;
  /** How often the repo had been asked for before it was fetched. */
  asked: number;
  /** Position of the newest commit that had come by then. */
  arrived: number;
  /** Whether what is there already is looked at as well, and written anew where it is damaged. */
  isRepair?: boolean;
  /** Set where a record is left out for a boundary that its author does not hold now. */
  isPartial?: boolean;
}

/**
 * Puts a proven repo in the place of what we have of it: what is new or changed is written, what is gone
 * is buried, and the head moves. A large one takes several transactions, of which each leaves what is
 * true of some records; whatever ends them between, the repo is still to be fetched.
 *
 * A repo does not say which boundaries its author held when a record was written, so a record that we
 * had not proven by its own commit may be in those alone that the author holds now. What was proven
 * before, with the same CID, stays as it is.
 *
 * @returns true when the repo is as of now; false when it has to be fetched once more
 * @throws ProofError when the repo contradicts what was proven
 */
export async function applyRepo(db: Database, fetched: FetchedRepo): Promise<boolean> {
  for await (const page of postPages(fetched.records())) {
    const next = await inTransaction(db, (tx) => applyPage(tx, fetched, page));
    if (next === 'show') return showAll(db, fetched);
    if (next !== 'go-on') return next === 'done';
  }
  return false;
}

type Next = 'go-on' | 'show' | 'done' | 'once-more';

async function applyPage(tx: Transaction, fetched: FetchedRepo, page: RecordPage): Promise<Next> {
  const { nodeDid, repo, proof } = fetched;
  const allowed = await lockUnchanged(tx, fetched);
  if (!allowed) return 'once-more';
  if (page.isFirst) await writeProofs(tx, nodeDid, [{ ...repo, car: proof }]);
  const changes = await takeOver(tx, page.posts, fetched, allowed);
  if (page.isLast) await buryOthers(tx, fetched);
  const wasHidden = page.isLast && (await endHiding(tx, fetched));
  changes.push(...(await show(tx, fetched, page)));
  // @NOTE the pages before have been written while nobody might read anything
  const isShown = page.isFirst || !wasHidden;
  const isDone = page.isLast && isShown && (await finish(tx, fetched));
  await announce(tx, changes);
  if (!page.isLast) return 'go-on';
  if (!isShown) return 'show';
  return isDone ? 'done' : 'once-more';
}

/** Shows what was written while it was hidden. */
async function showAll(db: Database, fetched: FetchedRepo): Promise<boolean> {
  let isDone = false;
  for await (const page of postPages(fetched.records())) {
    isDone = await inTransaction(db, async (tx) => {
      if (!(await lockUnchanged(tx, fetched))) return false;
      const changes = await show(tx, fetched, page);
      const isWhole = !page.isLast || (await finish(tx, fetched));
      await announce(tx, changes);
      return isWhole;
    });
    if (!isDone) break;
  }
  return isDone;
}

async function show(tx: Transaction, { nodeDid, repo }: FetchedRepo, { posts }: RecordPage) {
  return giveReaders(tx, { nodeDid, uris: posts.map(({ uri }) => uri), dids: [repo.did] });
}

/**
 * What is fetched must not be older than what was proven, nor another history of the same moment.
 *
 * @throws ProofError `not-increasing`
 */
export function checkOrder(fetched: SignedRepo, known: RepoHead | undefined): void {
  if (!known || fetched.rev > known.rev) return;
  if (fetched.rev === known.rev && textOf(fetched.data) === known.data) return;
  throw new ProofError('not-increasing', 'the repo is older than what was proven of it');
}

/** @returns the boundaries that the author holds; undefined when the repo is not of now any more */
async function lockUnchanged(
  tx: Transaction,
  { nodeDid, repo }: FetchedRepo,
): Promise<ReadonlySet<string> | undefined> {
  await lockActorAtNode(tx, repo.did, nodeDid);
  const { member, head } = await readStanding(tx, repo.did, nodeDid);
  if (!member?.active || member.signingKey !== repo.signingKey) return undefined;
  if (head && repo.rev < head.rev) return undefined;
  checkOrder(repo, head);
  return new Set(member.boundaries);
}

async function takeOver(
  tx: Transaction,
  records: readonly RepoRecord[],
  fetched: FetchedRepo,
  allowed: ReadonlySet<string>,
): Promise<Change[]> {
  const { nodeDid, repo, isRepair } = fetched;
  const { did, rev } = repo;
  const changed = await provenAnew(tx, records, { nodeDid, rev });
  const accepted: AcceptedPost[] = [];
  const refused: string[] = [];
  const refusals: { did: Did; uri: string; reason: string }[] = [];
  for (const { uri, rkey, cid, bytes } of changed) {
    const content = readRecord(bytes, nodeDid);
    const judged = judgePost({ uri, rkey, cid, ...content }, { nodeDid, allowed });
    if (judged.post) accepted.push(judged.post);
    else refused.push(uri);
    if (judged.refused) refusals.push({ did, uri, reason: judged.refused });
    if (judged.refused === 'boundary-not-held') fetched.isPartial = true;
  }
  if (isRepair) accepted.push(...(await damagedPosts(tx, records, { did, nodeDid, changed })));
  const at = { did, nodeDid, rev, proofRev: rev };
  const unstorable = new Set(await writeStorable(tx, accepted, at));
  for (const uri of unstorable) refusals.push({ did, uri, reason: 'not-storable' });
  await removePosts(tx, [...refused, ...unstorable], nodeDid);
  await recordRefusals(tx, nodeDid, refusals);
  // What is there already is news all the same.
  return takeReaders(tx, { nodeDid, uris: accepted.map(({ uri }) => uri) });
}

/** Those that are as we know them, and are not stored as they are. Where they may be was proven before. */
async function damagedPosts(
  tx: Transaction,
  records: readonly RepoRecord[],
  { did, nodeDid, changed }: { did: Did; nodeDid: Did; changed: readonly RepoRecord[] },
): Promise<AcceptedPost[]> {
  const anew = new Set(changed);
  const known = records.filter((record) => !anew.has(record));
  const uris = await findDamaged(tx, { did, nodeDid, uris: known.map(({ uri }) => uri) });
  return known.flatMap(({ uri, rkey, cid, bytes }) => {
    if (!uris.has(uri)) return [];
    const content = readRecord(bytes, nodeDid);
    const allowed = new Set(content.record?.boundaries);
    return judgePost({ uri, rkey, cid, ...content }, { nodeDid, allowed }).post ?? [];
  });
}

/** Has those that are as we know them be shown by the new proof, and returns the others. */
async function provenAnew(
  tx: Transaction,
  records: readonly RepoRecord[],
  { nodeDid, rev }: { nodeDid: Did; rev: string },
): Promise<RepoRecord[]> {
  const rows = records.map(({ uri, cid }) => ({ uri, cid }));
  const kept = await tx.$queryRaw<{ uri: string }[]>`
    update stratos_post p set proof_rev = ${rev}
    from json_to_recordset(${JSON.stringify(rows)}::json) as record(uri text, cid text)
    where p.uri = record.uri and p.node_did = ${nodeDid} and p.cid = record.cid
    returning p.uri`;
  const uris = new Set(kept.map(({ uri }) => uri));
  return records.filter(({ uri }) => !uris.has(uri));
}

/** Removes what we have, and the repo has not. */
async function buryOthers(tx: Transaction, { nodeDid, repo }: FetchedRepo): Promise<void> {
  const { did, rev } = repo;
  const gone = await tx.$queryRaw<{ uri: string }[]>`
    select uri from stratos_post
    where did = ${did} and node_did = ${nodeDid} and proof_rev is distinct from ${rev}`;
  const uris = gone.map(({ uri }) => uri);
  await buryPosts(tx, uris, { nodeDid, rev });
}

/** @returns whether the repo was hidden until here because it may have been outdated */
async function endHiding(tx: Transaction, { nodeDid, repo, asked }: FetchedRepo): Promise<boolean> {
  const { count } = await tx.resync.updateMany({
    where: { did: repo.did, nodeDid, asked, reason: 'outdated' },
    data: { reason: 'not-continuous' },
  });
  return count > 0;
}

async function finish(tx: Transaction, fetched: FetchedRepo): Promise<boolean> {
  const { nodeDid, repo, asked, arrived, isPartial = false } = fetched;
  const { did, rev, commit } = repo;
  await writeHead(tx, nodeDid, { did, rev, commit, data: textOf(repo.data) });
  await tx.repo.updateMany({ where: { did, nodeDid }, data: { isPartial } });
  const isWhole = await applyWaiting(tx, nodeDid, { did, arrived });
  await removeProofs(tx, did, nodeDid);
  if (!isWhole) return false;
  const { count } = await tx.resync.deleteMany({ where: { did, nodeDid, asked } });
  return count > 0;
}

/** Removes what shows no post any more. */
async function removeProofs(tx: Transaction, did: Did, nodeDid: Did): Promise<void> {
  await tx.$executeRaw`
    delete from stratos_proof r
    where r.did = ${did} and r.node_did = ${nodeDid} and not exists (
      select from stratos_post p
      where p.did = r.did and p.node_did = r.node_did and p.proof_rev = r.rev
    )`;
}
