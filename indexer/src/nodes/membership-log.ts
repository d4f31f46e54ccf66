import { cidOf, mintServiceAuth } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { z } from 'zod';
import { BrokenTrustError, type EventSource } from '../applying/apply-event.ts';
import { judgeEntry, peopleOf } from '../applying/judge.ts';
import { lockNodeState } from '../applying/node-state.ts';
import { readStandings } from '../applying/standing.ts';
import { writeVerdict } from '../applying/write-verdict.ts';
import { inTransaction, lockActorsAtNode } from '../database.ts';
import type { FollowerContext } from './node-follower.ts';

const method = zone.stratos.admin.getMembershipLog;
const ENTRIES_PER_PAGE = 100;

const page = z.object({
  entries: z.array(z.object({ entry: z.object({ $bytes: z.string() }) })),
  cursor: z.int().optional(),
});

/** The node does not give its membership log. */
export class MembershipLogError extends Error {
  override name = 'MembershipLogError';
}

/**
 * Reads a node's membership log from where we are to its end, and applies it as if it had come on the
 * stream.
 *
 * @throws BrokenTrustError when it is not the log that we know
 */
export async function readMembershipLog(
  context: Pick<FollowerContext, 'appView' | 'fetchLog'>,
  source: EventSource & { endpoint: string },
  signal: AbortSignal,
): Promise<void> {
  const { db, nodeDid } = source;
  for (let isMore = true; isMore && !signal.aborted; ) {
    const node = await db.node.findUniqueOrThrow({ where: { did: nodeDid } });
    const { entries, cursor } = await fetchPage(
      context,
      source,
      Number(node.membershipSeq),
      signal,
    );
    for (const { entry } of entries) await applyEntry(source, Buffer.from(entry.$bytes, 'base64'));
    isMore = cursor !== undefined && entries.length > 0;
  }
  signal.throwIfAborted();
}

/** Whether the node's log still has the entry that is the newest of it here. */
export async function hasNewestEntry(
  context: Pick<FollowerContext, 'appView' | 'fetchLog'>,
  source: EventSource & { endpoint: string },
  signal: AbortSignal,
): Promise<boolean> {
  const where = { did: source.nodeDid };
  const { membershipSeq, membershipHead } = await source.db.node.findUniqueOrThrow({ where });
  if (membershipHead === null) return true;
  const { entries } = await fetchPage(context, source, Number(membershipSeq) - 1, signal);
  const [newest] = entries;
  if (!newest) return false;
  return (await cidOf(Buffer.from(newest.entry.$bytes, 'base64'))) === membershipHead;
}

async function fetchPage(
  { appView, fetchLog }: Pick<FollowerContext, 'appView' | 'fetchLog'>,
  { nodeDid, endpoint }: EventSource & { endpoint: string },
  after: number,
  signal: AbortSignal,
) {
  const url = new URL(`/xrpc/${method.$nsid}`, endpoint);
  url.searchParams.set('cursor', String(after));
  url.searchParams.set('limit', String(ENTRIES_PER_PAGE));
  const { did: issuer, key } = appView;
  const token = await mintServiceAuth({ issuer, audience: nodeDid, lxm: method.$lxm, key });
  const response = await fetchLog(url, { headers: { authorization: `Bearer ${token}` }, signal });
  if (!response.ok) {
    await response.body?.cancel();
    throw new MembershipLogError(`the node answers ${response.status} when asked for its log`);
  }
  const parsed = page.safeParse(await response.json());
  if (!parsed.success) throw new MembershipLogError('what the node gives is no log');
  return parsed.data;
}

async function applyEntry(source: EventSource, bytes: Uint8Array): Promise<void> {
  const { db, nodeDid, fence } = source;
  const broken = await inTransaction(db, async (tx) => {
    const node = await lockNodeState(tx, nodeDid, fence);
    const dids = peopleOf([{ type: '#membership', body: { entry: bytes } }]);
    await lockActorsAtNode(tx, dids, nodeDid);
    const people = await readStandings(tx, dids, nodeDid);
    const verdict = await judgeEntry(bytes, source, { node, people });
    await writeVerdict(tx, { ...source, dids }, verdict, node);
    if (verdict.broken) return verdict.broken;
    const membershipRead = verdict.log?.seq ?? 0;
    await tx.node.update({ where: { did: nodeDid }, data: { membershipRead } });
    return undefined;
  });
  if (broken) throw new BrokenTrustError(broken.reason, { cause: broken.cause });
}
