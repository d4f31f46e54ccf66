import type { ReadPool } from '@stratos/prisma';
import type { ReaderChange } from '@stratos/prisma/queries';
import { type Boundary, boundaryNode } from '@stratos/protocol';
import type { PostHydrator } from '../hydration/posts.ts';
import type { LiveLimits } from './limits.ts';
import type { PostStream } from './post-stream.ts';
import { newestChange, oldestChange } from './read-changes.ts';
import { readPage } from './read-page.ts';

/** Changes among which what concerns a stream is looked for. */
const CHANGES_AT_MOST = 20_000;

export interface ReplayOptions {
  reads: ReadPool;
  hydrate: PostHydrator;
  limits: Pick<LiveLimits, 'replayedPosts'>;
}

/** Tells streams that come back what happened while they were away, by what is open to them now. */
export class Replay {
  readonly #options: ReplayOptions;

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  /**
   * Tells a stream, which holds what is live, all that happened since its position.
   *
   * @param position - of the gateway, when what is live began to be held
   */
  async tell(stream: PostStream, position: bigint): Promise<void> {
    const { reads, hydrate, limits } = this.#options;
    const { scope, position: after } = stream;
    if (!(await this.#isKept(after, position))) {
      stream.reset(position);
      return;
    }
    const page = await readPage(
      { reads, hydrate },
      {
        after,
        limits: { changes: CHANGES_AT_MOST, posts: limits.replayedPosts },
        boundaries: () => scope.boundaries,
        isRead: (boundary) => scope.boundaries.has(boundary),
      },
    );
    if (!page) {
      stream.reset(position);
      return;
    }
    const news = page.news.values();
    let next = news.next().value;
    for (const change of page.changes) {
      if (next?.seq === change.seq) {
        stream.replay(next);
        next = news.next().value;
      } else {
        stream.advance(change.seq);
        notifyOf(stream, change);
      }
    }
    stream.release(page.changes.at(-1)?.seq ?? after);
  }

  /** Whether all that came after a place is still known. One that another gateway gave may be ahead of ours. */
  async #isKept(after: bigint, position: bigint): Promise<boolean> {
    const { reads } = this.#options;
    if (after > position) return after <= (await newestChange(reads));
    const oldest = await oldestChange(reads);
    return oldest !== undefined && oldest <= after + 1n;
  }
}

/** What a change means for what is open to a viewer, by what is open to them now. */
function notifyOf(stream: PostStream, { kind, node, did, boundaries }: ReaderChange): void {
  const { scope, within } = stream;
  const isOf = (boundary: Boundary) => !within || boundary === within;
  if (kind === 'membership' && did === scope.viewer) {
    for (const boundary of boundaries.filter(isOf)) {
      const type = scope.boundaries.has(boundary) ? 'boundaryOpened' : 'boundaryClosed';
      stream.notify({ type, boundary });
    }
  }
  if (kind === 'node') {
    for (const boundary of scope.boundaries) {
      if (boundaryNode(boundary) !== node || !isOf(boundary)) continue;
      stream.notify({ type: 'boundaryOpened', boundary });
    }
  }
}
