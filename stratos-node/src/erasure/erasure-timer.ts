import type { NodeContext } from '../context.ts';
import { runErasure } from './run-erasure.ts';

const EVERY_MS = 60 * 60_000;

/** Runs the erasure when it is made and every hour. Disposing of it waits for a run that is under way. */
export class ErasureTimer implements AsyncDisposable {
  readonly #ctx: NodeContext;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;

  constructor(ctx: NodeContext) {
    this.#ctx = ctx;
    this.#timer = setInterval(() => this.#start(), EVERY_MS);
    this.#timer.unref();
    this.#start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    try {
      await runErasure(this.#ctx);
    } catch (error) {
      this.#ctx.logger.error({ err: error }, 'the erasure failed');
    }
  }
}
