import type { Did } from '@stratos/protocol';

/** Lets one task at a time change a person's repo or standing, in the order of asking. */
export class ActorLocks {
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

  /** Resolves once nothing runs or waits. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values());
  }
}
