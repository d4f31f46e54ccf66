import { MemoryBlockstore, MST } from '@atproto/repo';
import {
  type Did,
  isDid,
  ProofError,
  type RepoHead,
  toCid,
  toTid,
  type VerifiedCommit,
  verifyCommit,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { lockActorAtNode, type Transaction } from '../database.ts';
import { applyPost } from './apply-post.ts';
import { readStanding, writeHead } from './standing.ts';

type CommitFrame = zone.stratos.sync.subscribeService.Commit;

const EMPTY_TREE = (await (await MST.create(new MemoryBlockstore())).getPointer()).toString();

/** The person whose repo a commit claims to be of, before anything about it is proven. */
export function claimedActor(frame: unknown): Did | undefined {
  const did = (frame as { did?: unknown } | null)?.did;
  return isDid(did) ? did : undefined;
}

/**
 * Verifies a commit and writes what it changes.
 *
 * @returns why single records of it were refused
 * @throws ProofError when all of it is refused
 */
export async function applyCommit(
  tx: Transaction,
  nodeDid: Did,
  frame: unknown,
): Promise<string[]> {
  const parsed = zone.stratos.sync.subscribeService.commit.safeParse(frame);
  if (!parsed.success || !isDid(parsed.value.did)) throw new ProofError('malformed', 'no commit');
  const { did } = parsed.value;
  await lockActorAtNode(tx, did, nodeDid);

  const { member, head } = await readStanding(tx, did, nodeDid);
  if (head && parsed.value.rev <= head.rev) return [];
  if (!member) {
    // A node may well make the repo before it says who it is for.
    return parsed.value.ops.length === 0 && !parsed.value.since ? [] : ['not-a-member'];
  }
  const commit = await verifyCommit(parsed.value, {
    service: nodeDid,
    signingKey: member.signingKey,
    previous: head ?? emptyHead(parsed.value),
  });
  const allowed = new Set(member.boundaries);
  const refusals = await applyOps(tx, commit, { nodeDid, allowed });
  await writeHead(tx, nodeDid, commit);
  return refusals;
}

async function applyOps(
  tx: Transaction,
  { did, rev, ops }: VerifiedCommit,
  at: { nodeDid: Did; allowed: ReadonlySet<string> },
): Promise<string[]> {
  const refusals: string[] = [];
  for (const op of ops) {
    if (op.collection !== zone.stratos.feed.post.$nsid) continue;
    const refused = await applyPost(tx, op, { did, rev, ...at });
    if (refused) refusals.push(refused);
  }
  return refusals;
}

/** Of a repo that we never saw, the empty tree is a beginning as good as the first commit. */
function emptyHead({ since, prevData }: CommitFrame): RepoHead | undefined {
  if (since === undefined || prevData?.toString() !== EMPTY_TREE) return undefined;
  return { rev: toTid(since), data: toCid(EMPTY_TREE) };
}
