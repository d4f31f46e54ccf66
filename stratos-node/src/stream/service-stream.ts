import { setImmediate } from 'node:timers/promises';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import { framesOf, heartbeatAt, type StreamMessage } from './frames.ts';

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
): AsyncGenerator<StreamMessage> {
  const head = await ctx.service.events.head();
  if (cursor !== undefined && cursor > head) throw new NodeError('FutureCursor');
  let last = cursor ?? head;
  let isUpToDate = false;
  let nextHeartbeat = 0;
  while (!signal.aborted) {
    const seen = ctx.signal.version;
    const events = await ctx.service.events.after(last, EVENTS_PER_BATCH);
    if (isUpToDate && events.length === EVENTS_PER_BATCH) await checkLag(ctx, last, maxLag);
    for (const { seq, message } of await framesOf(ctx, events)) {
      if (signal.aborted) return;
      yield message;
      last = seq;
    }
    if (events.length === EVENTS_PER_BATCH) continue;
    isUpToDate = true;
    if (Date.now() >= nextHeartbeat) {
      const heartbeat = await heartbeatAt(ctx, last);
      if (!heartbeat) {
        // @NOTE SQLite answers without a turn of the event loop, and others need theirs
        await setImmediate();
        continue;
      }
      yield heartbeat;
      nextHeartbeat = Date.now() + ctx.config.heartbeatIntervalMs;
    }
    await ctx.signal.changedSince(seen, {
      timeoutMs: Math.max(0, nextHeartbeat - Date.now()),
      signal,
    });
  }
}

async function checkLag(ctx: StreamContext, last: number, maxLag: number): Promise<void> {
  if ((await ctx.service.events.head()) - last > maxLag) throw new NodeError('ConsumerTooSlow');
}
