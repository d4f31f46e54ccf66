import { type NodeEvent, positionOf } from '../applying/node-event.ts';
import type { NodeStream } from './node-stream.ts';

/** Events that are looked at before others have their turn. */
const AT_ONCE = 100;
/** Milliseconds before a connection is tried again that has failed. */
const RETRY_MS = 5_000;

export interface LookAheadOptions {
  /** Opens another stream of the node, from a position on. */
  open: (
    cursor: number,
    options: { signal: AbortSignal; onArrival: (event: NodeEvent) => void },
  ) => Promise<NodeStream>;
  /** Told of each event that is still to arrive where it is applied. */
  onEvent: (event: NodeEvent) => void;
  onError: (error: unknown) => void;
}

/**
 * Looks through what a node says beyond what there is room for, so that nothing of it waits unseen. Keeps
 * none of it: all of it arrives once more in its turn.
 */
export class LookAhead implements AsyncDisposable {
  readonly #options: LookAheadOptions;
  #stop = new AbortController();
  #looking: Promise<void> | undefined;
  #seen: number;
  #notBefore = Number.NEGATIVE_INFINITY;

  /** @param seen - position up to which all has arrived */
  constructor(options: LookAheadOptions, seen: number) {
    this.#options = options;
    this.#seen = seen;
  }

  /**
   * Takes note of what has arrived in its turn, and ends when that is all that was looked at and nothing
   * waits before it.
   *
   * @returns whether it is news
   */
  arrived(event: NodeEvent, { waiting }: { waiting: number }): boolean {
    const position = placeOf(event);
    if (position < this.#seen) return false;
    if (waiting === 0) this.#stop.abort();
    const isNews = position > this.#seen;
    this.#seen = position;
    return isNews;
  }

  /** Begins after what has arrived, unless it has begun. */
  begin(): void {
    if (this.#looking || performance.now() < this.#notBefore) return;
    this.#stop = new AbortController();
    this.#looking = this.#look(this.#stop.signal)
      .catch((error) => {
        this.#notBefore = performance.now() + RETRY_MS;
        this.#options.onError(error);
      })
      .finally(() => {
        this.#looking = undefined;
      });
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { open, onEvent } = this.#options;
    using stream = await open(this.#seen, {
      signal,
      onArrival: (event) => {
        const position = placeOf(event);
        if (signal.aborted || position <= this.#seen) return;
        this.#seen = position;
        onEvent(event);
      },
    });
    while (await stream.take(AT_ONCE));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#looking;
  }
}

/** Where an event is; 0 for what only says where the node is. */
function placeOf({ type, body }: NodeEvent): number {
  return type === '#heartbeat' ? 0 : (positionOf(body) ?? 0);
}
