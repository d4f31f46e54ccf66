import type { PublishedCommit } from '../service-storage.ts';

interface Waiting {
  commit: PublishedCommit;
  resolve: (isNext: boolean) => void;
  reject: (error: unknown) => void;
}

/** Commits that a single transaction may carry. */
const MOST_AT_ONCE = 200;

/**
 * Carries commits into the stream together: those that come while one transaction is on its way to
 * the disk share the next.
 */
export class PublishQueue {
  readonly #publish: (commits: readonly PublishedCommit[]) => Promise<boolean[]>;
  readonly #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  /** @param publish - in one transaction, telling of each whether it was the next of its actor */
  constructor(publish: (commits: readonly PublishedCommit[]) => Promise<boolean[]>) {
    this.#publish = publish;
  }

  add(commit: PublishedCommit): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commit, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves once nothing waits. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, MOST_AT_ONCE);
      try {
        const results = await this.#publish(group.map(({ commit }) => commit));
        for (const [index, { resolve }] of group.entries()) resolve(results[index] === true);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#running = undefined;
  }
}
