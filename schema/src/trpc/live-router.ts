import { isBoundary, toBoundary } from '@stratos/protocol';
import { type TrackedEnvelope, tracked } from '@trpc/server';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { type LiveEvent, type LiveStream, liveOf } from '../live.ts';

/** Of `livePosts`. */
export const livePostsInput = z
  .strictObject({
    /** Only posts of this boundary. */
    boundary: z
      .string()
      .refine(isBoundary, 'not a boundary of the form {nodeDid}/{name}')
      .optional(),
    /** Cursor of the last event that was seen: what clients add by themselves when they reconnect. */
    lastEventId: z.string().max(1024).nullish(),
  })
  .default({});

/** What happens to posts, each event tracked by its cursor. Rejects as the operation does. */
export async function followPosts(
  context: ApiContext,
  { boundary, lastEventId }: z.infer<typeof livePostsInput>,
): Promise<AsyncIterable<TrackedEnvelope<LiveEvent>, void>> {
  const stream = await liveOf(context).posts({
    boundary: boundary === undefined ? undefined : toBoundary(boundary),
    after: lastEventId ?? undefined,
  });
  return trackedEvents(stream);
}

async function* trackedEvents(
  stream: LiveStream,
): AsyncGenerator<TrackedEnvelope<LiveEvent>, void> {
  using events = stream;
  for await (const { cursor, event } of events) {
    // Where a connection ends without a last word, clients subscribe again from what they have.
    if (event.type === 'closed' && event.reason === 'reconnect') {
      throw new DOMException('The server goes away', 'AbortError');
    }
    yield tracked(cursor, event);
  }
}
