import type { Live, LiveInput } from '@stratos/schema';
import type { LiveFeed, Opening } from './live-feed.ts';
import type { PostStream } from './post-stream.ts';

/** What one viewer can follow, by one request. */
export class ViewerLive implements Live {
  readonly #feed: LiveFeed;
  readonly #opening: Omit<Opening, keyof LiveInput>;
  readonly #lastEventId: string | undefined;

  /** @param lastEventId - the cursor that counts where none is given, as browsers send it */
  constructor(
    feed: LiveFeed,
    opening: Omit<Opening, keyof LiveInput>,
    lastEventId: string | undefined,
  ) {
    this.#feed = feed;
    this.#opening = opening;
    this.#lastEventId = lastEventId;
  }

  posts({ boundary, after = this.#lastEventId }: LiveInput): Promise<PostStream> {
    return this.#feed.open({ ...this.#opening, boundary, after });
  }
}
