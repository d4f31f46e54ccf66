import { decode, encode } from '@atproto/lex-cbor';
import type { Did } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { takePosts } from '../applying/apply-post.ts';
import type { NodeEvent } from '../applying/node-event.ts';
import { removeUnusedProofs } from '../applying/proofs.ts';
import type { Change } from '../changes/announce.ts';
import type { Transaction } from '../database.ts';
import { askForRepos, askOnce } from './ask-for-repos.ts';

/** What may wait of one repo, and of all repos of one node. */
const MOST_OF_REPO = { commits: 500, bytes: 8 * 1024 * 1024 };
const MOST_OF_NODE = { commits: 20_000, bytes: 256 * 1024 * 1024 };

/** A commit of a repo that is being fetched anew, as it came. */
export interface WaitingCommit {
  did: Did;
  streamSeq: number;
  body: unknown;
}

interface Frame extends Omit<WaitingCommit, 'body'> {
  bytes: Uint8Array;
  /** The posts that it says to change. */
  posts: string[];
}

interface Load {
  commits: number;
  bytes: number;
}

/**
 * Keeps commits until their repos have been fetched anew, and asks for those. What the commits delete or
 * replace is gone at once. Called under the locks of the repos by whatever moves the node's cursor past
 * the commits.
 *
 * When too much waits, nothing does of the repos with which it is too much: they are asked for once more,
 * which makes up for it. Nor does anything of those who left, whose repos are asked for when they return.
 *
 * @returns what is to be announced
 */
export async function holdCommits(
  tx: Transaction,
  nodeDid: Did,
  commits: readonly WaitingCommit[],
): Promise<Change[]> {
  const frames = commits.flatMap(frameOf);
  if (frames.length === 0) return [];
  await askOnce(tx, nodeDid, new Set(frames.map(({ did }) => did)));
  const { kept, overfull } = await fit(tx, nodeDid, frames);
  if (overfull.size > 0) {
    await askForRepos(tx, { nodeDid, dids: overfull, reason: 'not-continuous' });
    await tx.waitingCommit.deleteMany({ where: { nodeDid, did: { in: [...overfull] } } });
  }
  await writeFrames(tx, nodeDid, kept);
  const uris = frames.flatMap(({ posts }) => posts);
  const { changes, proofs } = await takePosts(tx, { nodeDid, uris });
  await removeUnusedProofs(tx, nodeDid, proofs);
  return changes;
}

/** The commits that wait for a repo, in their order. */
export async function waitingCommits(
  tx: Transaction,
  nodeDid: Did,
  did: Did,
): Promise<NodeEvent[]> {
  const rows = await tx.waitingCommit.findMany({
    where: { did, nodeDid },
    orderBy: { streamSeq: 'asc' },
  });
  return rows.map(({ frame }) => ({ type: '#commit', body: decode(frame) }));
}

/** Position of the newest commit that waits for a repo; 0 if none does. */
export async function newestWaiting(
  db: Pick<Transaction, 'waitingCommit'>,
  nodeDid: Did,
  did: Did,
): Promise<number> {
  const where = { did, nodeDid };
  const { _max } = await db.waitingCommit.aggregate({ where, _max: { streamSeq: true } });
  return Number(_max.streamSeq ?? 0);
}

/** Has no others go on waiting for a repo but these. */
export async function keepWaiting(
  tx: Transaction,
  nodeDid: Did,
  did: Did,
  commits: readonly WaitingCommit[],
): Promise<void> {
  const kept = commits.map(({ streamSeq }) => streamSeq);
  await tx.waitingCommit.deleteMany({ where: { did, nodeDid, streamSeq: { notIn: kept } } });
}

function frameOf({ did, streamSeq, body }: WaitingCommit): Frame[] {
  const frame = zone.stratos.sync.subscribeService.commit.safeValidate(body);
  if (!frame.success) return [];
  const prefix = `${zone.stratos.feed.post.$nsid}/`;
  const paths = frame.value.ops.map(({ path }) => path).filter((path) => path.startsWith(prefix));
  const posts = paths.map((path) => `at://${did}/${path}`);
  return [{ did, streamSeq, bytes: encode({ ...frame.value }), posts }];
}

async function writeFrames(tx: Transaction, nodeDid: Did, frames: readonly Frame[]): Promise<void> {
  if (frames.length === 0) return;
  const rows = frames.map(({ did, streamSeq, bytes }) => {
    return { did, stream_seq: streamSeq, frame: Buffer.from(bytes).toString('base64') };
  });
  await tx.$executeRaw`
    insert into stratos_waiting_commit (did, node_did, stream_seq, frame)
    select did, ${nodeDid}, stream_seq, decode(frame, 'base64')
    from json_to_recordset(${JSON.stringify(rows)}::json)
      as waiting(did text, stream_seq bigint, frame text)
    where did in (select did from stratos_membership where node_did = ${nodeDid} and active)
    on conflict do nothing`;
}

async function fit(tx: Transaction, nodeDid: Did, frames: readonly Frame[]) {
  const loads = await tx.$queryRaw<(Load & { did: Did })[]>`
    select did, count(*)::int as commits, sum(length(frame))::float8 as bytes
    from stratos_waiting_commit where node_did = ${nodeDid} group by did`;
  const ofRepos = new Map(loads.map(({ did, ...load }) => [did, load]));
  let ofNode = loads.reduce(sum, { commits: 0, bytes: 0 });
  const overfull = new Set<Did>();
  for (const { did, bytes } of frames) {
    const load = { commits: 1, bytes: bytes.length };
    const ofRepo = sum(ofRepos.get(did) ?? { commits: 0, bytes: 0 }, load);
    ofRepos.set(did, ofRepo);
    ofNode = sum(ofNode, load);
    if (exceeds(ofRepo, MOST_OF_REPO) || exceeds(ofNode, MOST_OF_NODE)) overfull.add(did);
  }
  return { kept: frames.filter(({ did }) => !overfull.has(did)), overfull };
}

function sum(left: Load, right: Load): Load {
  return { commits: left.commits + right.commits, bytes: left.bytes + right.bytes };
}

function exceeds(load: Load, most: Load): boolean {
  return load.commits > most.commits || load.bytes > most.bytes;
}
