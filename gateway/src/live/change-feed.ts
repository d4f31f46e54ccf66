import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../logger.ts';
import { ChangeSignal } from './change-signal.ts';

/** Milliseconds after which changes are looked for, whether any were signalled or not. */
const EVERY_MS = 1_000;
const MAX_BACKOFF_MS = 2_000;

export interface ChangeFeedOptions {
  databaseUrl: string;
  logger: Logger;
  /** Takes what has changed. When it fails, it is called again soon. */
  turn: () => Promise<void>;
}

/** Calls for a turn whenever something has changed, and each second; one at a time. */
export class ChangeFeed implements AsyncDisposable {
  readonly #options: ChangeFeedOptions;
  readonly #signal: ChangeSignal;
  readonly #stopping = new AbortController();
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();
  #turning: Promise<boolean> | undefined;
  #loop: Promise<void> | undefined;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
    const { databaseUrl, logger } = options;
    this.#signal = new ChangeSignal(databaseUrl, { logger, wake: () => this.wake() });
  }

  /** Begins; the first turn is over when it resolves, or it rejects as that did. */
  async start(): Promise<void> {
    await this.#options.turn();
    void this.#signal.listen();
    this.#loop = this.#run();
  }

  /** Has it take a turn soon. */
  wake(): void {
    this.#wake.resolve();
  }

  /** Resolves at a moment between two turns; what follows at once is done before the next begins. */
  async between(): Promise<void> {
    while (this.#turning) await this.#turning;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await this.#loop;
    await this.#signal[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; ) {
      this.#wake = Promise.withResolvers();
      this.#turning = this.#attempt();
      failures = (await this.#turning) ? 0 : failures + 1;
      const pause = failures === 0 ? EVERY_MS : Math.min(MAX_BACKOFF_MS, 50 * 2 ** failures);
      const timer = setTimeout(() => this.wake(), pause);
      await this.#wake.promise;
      clearTimeout(timer);
      // Lets those go on who waited for the end of the turn.
      await nextTurn();
    }
  }

  async #attempt(): Promise<boolean> {
    try {
      await this.#options.turn();
      return true;
    } catch (error) {
      this.#options.logger.error({ error }, 'changes could not be read');
      return false;
    } finally {
      this.#turning = undefined;
    }
  }
}
