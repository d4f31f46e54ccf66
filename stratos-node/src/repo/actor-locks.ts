import type { Did } from '@stratos/protocol';
import { NodeError } from '../node-error.ts';

/** How long one waits for another process to be done with a person. */
const WAIT_MS = 10_000;
const RETRY_AFTER_SECONDS = 1;

/** Lets one task at a time change a person's repo or standing. */
export interface ActorLocks {
  run<T>(did: Did, task: () => Promise<T>): Promise<T>;
  /** Resolves once nothing runs or waits. */
  idle(): Promise<void>;
}

/** Locks of this process, in the order of asking. */
export class LocalActorLocks implements ActorLocks {
  readonly #last = new Map<Did, Promise<unknown>>();

  async run<T>(did: Did, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(did) ?? Promise.resolve();
    const result = before.then(task);
    const settled = result.catch(() => undefined);
    this.#last.set(did, settled);
    try {
      return await result;
    } finally {
      if (this.#last.get(did) === settled) this.#last.delete(did);
    }
  }

  async idle(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values());
  }
}

/** Locks that several processes know of. */
export interface LocksBetweenProcesses {
  /** Takes a lock, or gives up after `withinMs`. Rejects when it cannot be asked for. */
  lock(name: string, withinMs: number): Promise<AsyncDisposable | undefined>;
}

/** Locks between all processes of a node; within one, in the order of asking. */
export class SharedActorLocks implements ActorLocks {
  readonly #local = new LocalActorLocks();
  readonly #shared: LocksBetweenProcesses;
  readonly #waitMs: number;

  constructor(shared: LocksBetweenProcesses, waitMs = WAIT_MS) {
    this.#shared = shared;
    this.#waitMs = waitMs;
  }

  /** Throws `ServiceUnavailable` when another process does not let go, or the database is away. */
  async run<T>(did: Did, task: () => Promise<T>): Promise<T> {
    return this.#local.run(did, async () => {
      await using _lock = await this.#take(did);
      return await task();
    });
  }

  async idle(): Promise<void> {
    await this.#local.idle();
  }

  async #take(did: Did): Promise<AsyncDisposable> {
    const retryAfterSeconds = RETRY_AFTER_SECONDS;
    let lock: AsyncDisposable | undefined;
    try {
      lock = await this.#shared.lock(`actor:${did}`, this.#waitMs);
    } catch (cause) {
      throw new NodeError('ServiceUnavailable', undefined, { cause, retryAfterSeconds });
    }
    if (lock) return lock;
    throw new NodeError('ServiceUnavailable', 'The repo is busy', { retryAfterSeconds });
  }
}
