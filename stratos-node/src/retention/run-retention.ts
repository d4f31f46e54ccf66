import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { UnknownActorError } from '../storage/actor-storage.ts';
import type { LogEvent } from '../storage/service-storage.ts';
import { forgetLog } from '../stream/actor-log.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const EVENTS_PER_TURN = 200;

export type RetentionContext = Pick<NodeContext, 'actors' | 'config' | 'service'>;

/**
 * Forgets the oldest events of the node's stream, as far as they are older than the operator keeps
 * them, and with each the event of the actor's log that it points to.
 *
 * The floor goes up first, so that nobody reads what is about to go; a turn that is cut short, by
 * `signal` or a crash, is taken up again by the next.
 *
 * @returns whether there may be more to forget
 */
export async function runRetention(
  ctx: RetentionContext,
  now: Date,
  signal?: AbortSignal,
): Promise<boolean> {
  const log = ctx.service.events;
  const oldest = await log.after(0, EVENTS_PER_TURN);
  const floor = await log.floor();
  const keptSince = new Date(now.getTime() - ctx.config.retentionDays * DAY_MS).toISOString();
  const firstKept = oldest.findIndex(({ seq, time }) => seq > floor && time >= keptSince);
  const forgotten = firstKept < 0 ? oldest : oldest.slice(0, firstKept);
  const end = forgotten.at(-1)?.seq;
  if (end === undefined) return false;
  await log.raiseFloor(end);
  for (const [did, commit] of newestCommits(forgotten)) {
    if (signal?.aborted) return true;
    await forgetOf(ctx, did, commit);
  }
  await log.deleteBelowFloor();
  return forgotten.length === EVENTS_PER_TURN;
}

/** How far each actor's log is among the events. */
function newestCommits(events: readonly LogEvent[]): Map<Did, number> {
  return new Map(events.filter(({ kind }) => kind === 'commit').map(({ did, ref }) => [did, ref]));
}

async function forgetOf(ctx: RetentionContext, did: Did, commit: number): Promise<void> {
  try {
    await ctx.actors.write(did, (actor) => forgetLog(actor, commit));
    await ctx.actors.scrub(did);
  } catch (error) {
    // @NOTE a repo that was erased meanwhile has nothing left to forget
    if (!(error instanceof UnknownActorError)) throw error;
  }
}
