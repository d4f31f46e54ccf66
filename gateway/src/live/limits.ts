import type { Did } from '@stratos/protocol';
import { ApiError } from '@stratos/schema';

/** How much there may be of live updates. */
export interface LiveLimits {
  /** Streams that one viewer may have open. */
  streamsPerViewer: number;
  /** Streams that all of them together may have open at one gateway. */
  streams: number;
  /** Events that wait for one reader, and about how many bytes they may have. */
  queuedEvents: number;
  queuedBytes: number;
  /** Posts of which who comes back is told; when there are more, pages are to be read anew. */
  replayedPosts: number;
  /** Milliseconds between signs of life on a stream where nothing happens. */
  heartbeatMs: number;
  /** Milliseconds without one after which a client opens a stream anew, where the gateway has a say in it. */
  silenceMs: number;
  /** Milliseconds in which a reader may take the last word of a stream. */
  lingerMs: number;
}

export const LIVE_LIMITS: LiveLimits = {
  streamsPerViewer: 20,
  streams: 10_000,
  queuedEvents: 2_000,
  queuedBytes: 4_000_000,
  replayedPosts: 1_000,
  heartbeatMs: 15_000,
  silenceMs: 45_000,
  lingerMs: 5_000,
};

/** Counts the streams that are open, and lets nobody have too many. */
export class StreamCount {
  readonly #limits: Pick<LiveLimits, 'streams' | 'streamsPerViewer'>;
  readonly #byViewer = new Map<Did, number>();
  #total = 0;

  constructor(limits: Pick<LiveLimits, 'streams' | 'streamsPerViewer'>) {
    this.#limits = limits;
  }

  get total(): number {
    return this.#total;
  }

  /** A place for one more stream, until it is given back. Throws `TOO_MANY_STREAMS`. */
  take(viewer: Did): () => void {
    const own = this.#byViewer.get(viewer) ?? 0;
    if (own >= this.#limits.streamsPerViewer) {
      throw new ApiError('TOO_MANY_STREAMS', 'You have too many streams open');
    }
    if (this.#total >= this.#limits.streams) {
      throw new ApiError('TOO_MANY_STREAMS', 'There are too many streams open here');
    }
    this.#byViewer.set(viewer, own + 1);
    this.#total += 1;
    return () => this.#giveBack(viewer);
  }

  #giveBack(viewer: Did): void {
    const left = (this.#byViewer.get(viewer) ?? 1) - 1;
    if (left > 0) this.#byViewer.set(viewer, left);
    else this.#byViewer.delete(viewer);
    this.#total -= 1;
  }
}
