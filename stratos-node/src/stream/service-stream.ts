import { setImmediate } from 'node:timers/promises';
import type { Frame } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import type { LogEvent } from '../storage/service-storage.ts';
import { framesOf, heartbeatAt, toFrame } from './frames.ts';
import { Moment } from './moment.ts';
import { OUTDATED_CURSOR } from './outdated-cursor.ts';

const EVENTS_PER_BATCH = 100;
/** Events by which a consumer that was once up to date may fall behind. */
const MAX_LAG = 10_000;

export interface ServiceStreamOptions {
  /** The last position that the consumer has seen; without it the stream begins with what is next. */
  cursor: number | undefined;
  signal: AbortSignal;
  maxLag?: number;
}

type StreamContext = Pick<NodeContext, 'actors' | 'service' | 'config' | 'nodeKey' | 'signal'>;

/**
 * The node's stream for one consumer. It reads the log as fast as the consumer takes it, so nothing
 * piles up in memory: what the consumer has not seen yet waits in the log.
 *
 * @throws `FutureCursor`, and `ConsumerTooSlow` for one that falls too far behind
 */
export async function* serviceStream(
  ctx: StreamContext,
  { cursor, signal, maxLag = MAX_LAG }: ServiceStreamOptions,
): AsyncGenerator<Frame> {
  const log = ctx.service.events;
  const head = await log.head();
  if (cursor !== undefined && cursor > head) throw new NodeError('FutureCursor');
  let last = cursor ?? head;
  let isUpToDate = false;
  let nextHeartbeat = 0;
  let limit = EVENTS_PER_BATCH;
  while (!signal.aborted) {
    const moment = new Moment(ctx.signal);
    const events = await log.after(last, limit);
    const isFull = events.length === limit;
    // @NOTE after the events: what they lack because it went meanwhile is then below the floor
    const floor = await log.floor();
    if (floor > last) {
      last = floor;
      yield toFrame(zone.stratos.sync.subscribeService.info.build(OUTDATED_CURSOR));
      continue;
    }
    if (isUpToDate && isFull) await checkLag(ctx, last, maxLag);
    const frames = await framesOf(ctx, events);
    // @NOTE what did not fit is read again, so the next batch begins with about as much as did
    const hasFit = frames.length === events.length;
    limit = hasFit ? Math.min(2 * limit, EVENTS_PER_BATCH) : frames.length;
    for (const [i, event] of events.slice(0, frames.length).entries()) {
      const [message] = moment.isPast ? await framesOf(ctx, [event]) : [frames[i]];
      if (signal.aborted) return;
      if (message) yield message;
      else if ((await whyMissing(ctx, event)) === 'forgotten') break;
      last = event.seq;
    }
    // @NOTE SQLite answers without a turn of the event loop, and others need theirs
    await setImmediate();
    if (isFull || last !== (events.at(-1)?.seq ?? last)) continue;
    isUpToDate = true;
    if (Date.now() >= nextHeartbeat) {
      const heartbeat = await heartbeatAt(ctx, last);
      if (!heartbeat) continue;
      yield heartbeat;
      nextHeartbeat = Date.now() + ctx.config.heartbeatIntervalMs;
    }
    await ctx.signal.changedSince(moment.version, {
      timeoutMs: Math.max(0, nextHeartbeat - Date.now()),
      signal,
    });
  }
}

async function checkLag(ctx: StreamContext, last: number, maxLag: number): Promise<void> {
  if ((await ctx.service.events.head()) - last > maxLag) throw new NodeError('ConsumerTooSlow');
}

/** The commit of an event may have gone with its whole repo, or because its time had come. */
async function whyMissing(
  ctx: StreamContext,
  { seq, did }: LogEvent,
): Promise<'erased' | 'forgotten'> {
  if ((await ctx.service.events.floor()) >= seq) return 'forgotten';
  if ((await ctx.actors.read(did, async () => true)) === undefined) return 'erased';
  throw new Error('an event of the log has lost what it points to');
}
