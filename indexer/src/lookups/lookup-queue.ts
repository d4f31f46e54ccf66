import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';

/** Lookups that wait at most; more are found by the next sweep. */
const MAX_WAITING = 1_000;
/** What lookups that are under way get when the indexer stops; they are made again. */
const STOP_WITHIN_MS = 2_000;

export interface LookupQueueOptions<Key> {
  /** Lookups at the same time: what slow and hostile hosts can hold up at most. */
  concurrency: number;
  look: (key: Key) => Promise<void>;
  onError: (error: unknown, key: Key) => void;
}

/** Asks hosts that others have named, beside the streams and never in their way, each thing once at a time. */
export class LookupQueue<Key> implements AsyncDisposable {
  readonly #options: LookupQueueOptions<Key>;
  readonly #queue: PQueue;
  readonly #keys = new Set<Key>();
  #stopped = false;

  constructor(options: LookupQueueOptions<Key>) {
    this.#options = options;
    this.#queue = new PQueue({ concurrency: options.concurrency });
  }

  /** How many more can wait. */
  get room(): number {
    return MAX_WAITING - this.#keys.size;
  }

  /** Looks up soon, unless that is about to happen already or too much waits. */
  add(key: Key): void {
    if (this.#stopped || this.room <= 0 || this.#keys.has(key)) return;
    this.#keys.add(key);
    void this.#queue.add(() => this.#look(key));
  }

  async #look(key: Key): Promise<void> {
    try {
      await this.#options.look(key);
    } catch (error) {
      if (!this.#stopped) this.#options.onError(error, key);
    } finally {
      this.#keys.delete(key);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#queue.clear();
    await Promise.race([this.#queue.onIdle(), sleep(STOP_WITHIN_MS, undefined, { ref: false })]);
  }
}
