import { setImmediate } from 'node:timers/promises';
import { zone } from '@stratos/protocol/lexicons';
import type { ReadContext } from '../access/visible-records.ts';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import { actorFramesOf, concerns, type Listening, type RecordsMessage } from './actor-frames.ts';
import { logAfter, logHead } from './actor-log.ts';
import { Moment } from './moment.ts';
import { OUTDATED_CURSOR } from './outdated-cursor.ts';

/** Frames that are made at once: what a consumer can make the node keep. */
const FRAMES_AT_ONCE = 50;
/** Positions by which a consumer that was once up to date may fall behind: 10,000 commits. */
const MAX_LAG = 10_000_000;
/** Milliseconds after which the log is looked at though nobody said that it grew. */
const LOOK_EVERY_MS = 30_000;

export interface ActorStreamOptions extends Listening {
  /** The last position that the consumer has seen; without it all that is kept follows. */
  cursor: number | undefined;
  signal: AbortSignal;
  maxLag?: number;
}

type StreamContext = ReadContext & Pick<NodeContext, 'signal' | 'actorSignals'>;

/**
 * The stream of one repo for one consumer, as fast as the consumer takes it, one change at a time.
 *
 * @throws `RepoNotFound`, `FutureCursor`, and `ConsumerTooSlow` for one that falls too far behind
 */
export async function* actorStream(
  ctx: StreamContext,
  { cursor, signal, maxLag = MAX_LAG, ...listening }: ActorStreamOptions,
): AsyncGenerator<RecordsMessage> {
  const { did, domain } = listening;
  using watch = ctx.actorSignals.watch(did);
  let last = cursor;
  let isUpToDate = false;
  while (!signal.aborted) {
    const seen = watch.version;
    const read = await ctx.actors.read(did, async (actor) => ({
      head: await logHead(actor),
      part: await logAfter(actor, last ?? 0),
    }));
    if (!read) throw new NodeError('RepoNotFound');
    const { head, part } = read;
    if (last !== undefined && last > head) throw new NodeError('FutureCursor');
    if (isUpToDate && part.isFull && head - part.end > maxLag) {
      throw new NodeError('ConsumerTooSlow');
    }
    if (last !== undefined && last < part.floor) {
      yield zone.stratos.sync.subscribeRecords.info.build(OUTDATED_CURSOR);
    }
    const ops = part.ops.filter((op) => concerns(op, domain));
    for (let start = 0; start < ops.length; start += FRAMES_AT_ONCE) {
      const some = ops.slice(start, start + FRAMES_AT_ONCE);
      const moment = new Moment(ctx.signal);
      const frames = await actorFramesOf(ctx, listening, some);
      for (const [i, op] of some.entries()) {
        const [message] = moment.isPast ? await actorFramesOf(ctx, listening, [op]) : [frames[i]];
        if (signal.aborted || !message) return;
        yield message;
      }
    }
    last = part.end;
    await setImmediate();
    if (part.isFull) continue;
    isUpToDate = true;
    await watch.changedSince(seen, { timeoutMs: LOOK_EVERY_MS, signal });
  }
}
