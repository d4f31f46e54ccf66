import { setImmediate } from 'node:timers/promises';
import type { Connection } from './connection.ts';

interface Waiting {
  task: () => unknown;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

export interface GroupCommitOptions {
  connection: Pick<Connection<unknown>, 'transactNow' | 'attempt'>;
  /** Called at the end of a group's transaction; what it returns is called when it is committed. */
  persist: () => () => Promise<void>;
}

/**
 * Writes what comes in while the disk is busy with what came before in one transaction, so that many
 * requests wait for it once. Each gets its own result or error, and none before it is on disk.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Runs a task of one turn as part of the next transaction. */
  async run<T>(task: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ task, resolve: resolve as Waiting['resolve'], reject });
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      await setImmediate();
      await this.#write();
    }
    this.#isWriting = false;
  }

  async #write(): Promise<void> {
    const tell: (() => void)[] = [];
    let group: Waiting[] = [];
    const takeAll = () => {
      group = this.#waiting;
      this.#waiting = [];
    };
    try {
      // @NOTE taken when the transaction begins, which may have to wait for another
      const persist = await this.#options.connection.transactNow(() => {
        takeAll();
        for (const each of group) tell.push(this.#outcomeOf(each));
        return this.#options.persist();
      });
      await persist();
    } catch (error) {
      if (group.length === 0) takeAll();
      for (const { reject } of group) reject(error);
      return;
    }
    for (const each of tell) each();
  }

  #outcomeOf({ task, resolve, reject }: Waiting): () => void {
    try {
      const result = this.#options.connection.attempt(task);
      return () => resolve(result);
    } catch (error) {
      return () => reject(error);
    }
  }
}
