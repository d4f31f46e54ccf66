import type { Did, DidKey } from '@stratos/protocol';
import { type Database, inTransaction, isUnstorable, lockWords } from '../database.ts';
import type { Fence } from '../followers/fence.ts';
import { judge, type NodeTrust, peopleOf } from './judge.ts';
import { claimedActor, type NodeEvent, positionOf } from './node-event.ts';
import { lockNodeState } from './node-state.ts';
import { type ProvenEvent, proveEvent } from './prove-event.ts';
import { readStandings } from './standing.ts';
import { Verdict } from './verdict.ts';
import { writeVerdict } from './write-verdict.ts';

export type { NodeEvent } from './node-event.ts';

export interface EventSource extends NodeTrust {
  db: Database;
  /** By which it is known that no other indexer has taken over the node. */
  fence?: Fence | undefined;
  /** Positions of events that were put ahead of their turn, and are still to come. */
  ahead?: () => readonly number[];
  /** Told of people's keys as they are, so that later signatures can be looked at ahead. */
  onKey?: (did: Did, key: DidKey) => void;
}

export interface Outcome {
  /** Position up to which the node is applied now. */
  cursor: number;
  /** Newest position that the node has told of. */
  newest: number;
  /** Codes of what was refused. */
  refusals: string[];
}

/** A node that contradicts itself: nothing more is taken from it on this connection. */
export class BrokenTrustError extends Error {
  override name = 'BrokenTrustError';
  readonly reason: string;

  constructor(reason: string, options?: ErrorOptions) {
    super('the node cannot be trusted', options);
    this.reason = reason;
  }
}

/**
 * Verifies one event and writes it together with the cursor. What was applied before is left alone,
 * so that any event may come again.
 *
 * @throws BrokenTrustError when the node's own signed word fails; the cursor stays
 * @throws TakenOverError when another indexer follows the node
 */
export async function applyEvent(source: EventSource, event: NodeEvent): Promise<Outcome> {
  return applyEvents(source, [await proveEvent(event, source.nodeDid)]);
}

/**
 * The same for events that follow each other, in one transaction. Each of them that fails costs only
 * itself.
 */
export async function applyEvents(
  source: EventSource,
  events: readonly ProvenEvent[],
): Promise<Outcome> {
  try {
    return outcomeOf(await applyTogether(source, events));
  } catch (error) {
    if (!isUnstorable(error)) throw error;
    const [only, ...others] = events;
    if (others.length > 0) return applyOneByOne(source, events);
    if (only?.type !== '#commit') throw error;
    return skipUnstorable(source, only);
  }
}

async function applyTogether(
  source: EventSource,
  events: readonly ProvenEvent[],
): Promise<Verdict> {
  const { db, nodeDid, fence } = source;
  return inTransaction(db, async (tx) => {
    const node = await lockNodeState(tx, nodeDid, fence);
    const dids = peopleOf(events);
    await lockWords(tx, dids, nodeDid);
    const people = await readStandings(tx, dids, nodeDid);
    for (const [did, { member }] of people) if (member) source.onKey?.(did, member.signingKey);
    const verdict = await judge(events, source, { node, people });
    await writeVerdict(tx, { ...source, dids }, verdict, node);
    return verdict;
  });
}

function outcomeOf({ cursor, newest, refusals, broken }: Verdict): Outcome {
  if (broken) throw new BrokenTrustError(broken.reason, { cause: broken.cause });
  return { cursor, newest, refusals: refusals.map(({ reason }) => reason) };
}

async function applyOneByOne(
  source: EventSource,
  events: readonly ProvenEvent[],
): Promise<Outcome> {
  const all: Outcome = { cursor: 0, newest: 0, refusals: [] };
  for (const event of events) {
    const { cursor, newest, refusals } = await applyEvents(source, [event]);
    all.cursor = cursor;
    all.newest = Math.max(all.newest, newest);
    all.refusals.push(...refusals);
  }
  return all;
}

/** One event that the database cannot hold must not stop a node for good. */
async function skipUnstorable(source: EventSource, { body }: NodeEvent): Promise<Outcome> {
  const { db, nodeDid, fence } = source;
  const reason = 'not-storable';
  return inTransaction(db, async (tx) => {
    const before = await lockNodeState(tx, nodeDid, fence);
    const verdict = new Verdict(before.cursor, before.log);
    verdict.cursor = positionOf(body) ?? before.cursor;
    verdict.newest = verdict.cursor;
    verdict.refusals.push({ did: claimedActor(body), streamSeq: positionOf(body), reason });
    await writeVerdict(tx, { ...source, dids: [] }, verdict, before);
    return outcomeOf(verdict);
  });
}
