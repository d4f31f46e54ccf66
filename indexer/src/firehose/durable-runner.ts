import { type EventRunner, MemoryRunner } from '@atproto/sync';
import { backoff } from '../backoff.ts';

export interface DurableRunnerOptions {
  startCursor: number;
  save: (cursor: number) => Promise<void>;
  /** Events that are worked on at the same time; those of one person never are. */
  concurrency: number;
  /** Longest wait before an event is tried again. */
  maxRetryMs: number;
  onGivenUp: (seq: number, did: string) => Promise<void>;
  onSaveError: (error: unknown) => void;
}

/**
 * Why an event failed: it could not be written (`apply`), its proof could not be looked up (`check`),
 * it is only news about an identity that cannot be looked up (`hint`), or its proof does not hold.
 */
export type Failure = 'apply' | 'check' | 'hint' | 'disproven';

/** How often each is tried before the event is given up, so that nobody can hold up all others. */
const ATTEMPTS: Record<Failure, number> = {
  apply: Number.POSITIVE_INFINITY,
  check: 40,
  hint: 3,
  disproven: 1,
};

class StoppedError extends Error {
  override name = 'StoppedError';
}

/**
 * Runs events by person, in order, and moves the cursor over an event only when it is applied.
 * `@atproto/sync` itself passes over an event that fails; here it is tried again.
 */
export class DurableRunner implements EventRunner, AsyncDisposable {
  readonly #options: DurableRunnerOptions;
  readonly #inner: MemoryRunner;
  readonly #stop = new AbortController();
  readonly #failures = new Map<number, Failure>();
  #pending = 0;
  #unsaved: number | undefined;
  #saving: Promise<void> | undefined;
  /** How often a connection was begun. */
  connections = 0;
  /** Whether the newest connection has brought anything. */
  heard = false;

  constructor(options: DurableRunnerOptions) {
    this.#options = options;
    this.#inner = new MemoryRunner({
      startCursor: options.startCursor,
      concurrency: options.concurrency,
      setCursor: async (cursor) => this.#save(cursor),
    });
  }

  /** Where to begin: at the last event again, so that even a quiet source says something. */
  getCursor(): number {
    this.connections++;
    this.heard = false;
    return Math.max(0, this.cursor - 1);
  }

  get cursor(): number {
    return this.#inner.getCursor() ?? 0;
  }

  /** Events that have arrived and are not applied yet. */
  get pending(): number {
    return this.#pending;
  }

  /** Called by the firehose while it handles the event with that position. */
  reportFailure(seq: number, failure: Failure): void {
    this.#failures.set(seq, failure);
  }

  async trackEvent(did: string, seq: number, handler: () => Promise<void>): Promise<void> {
    this.heard = true;
    if (seq <= this.cursor && this.cursor > 0) return;
    this.#pending++;
    try {
      await this.#inner.trackEvent(did, seq, () => this.#untilDone(did, seq, handler));
    } catch (error) {
      if (!(error instanceof StoppedError)) throw error;
    } finally {
      this.#pending--;
    }
  }

  async #untilDone(did: string, seq: number, handler: () => Promise<void>): Promise<void> {
    const { maxRetryMs, onGivenUp } = this.#options;
    const { signal } = this.#stop;
    for (let attempt = 0; !signal.aborted; attempt++) {
      await handler();
      const failure = this.#failures.get(seq);
      this.#failures.delete(seq);
      if (!failure) return;
      if (attempt + 1 >= ATTEMPTS[failure]) {
        await onGivenUp(seq, did).catch(this.#options.onSaveError);
        return;
      }
      await backoff(attempt, maxRetryMs, signal);
    }
    // Left undone on purpose: the cursor must not pass it, and the next start begins with it.
    throw new StoppedError('stopped before the event was applied');
  }

  #save(cursor: number): void {
    this.#unsaved = cursor;
    this.#saving ??= this.#saveNewest().finally(() => {
      this.#saving = undefined;
    });
  }

  async #saveNewest(): Promise<void> {
    while (this.#unsaved !== undefined) {
      const cursor = this.#unsaved;
      this.#unsaved = undefined;
      await this.#options.save(cursor).catch(this.#options.onSaveError);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    // Not its destroy(), which waits for ever for tasks that it has dropped.
    await this.#inner.processAll();
    await this.#saving;
  }
}
