import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../logger.ts';
import { type RetentionContext, runRetention } from './run-retention.ts';

const LOOK_EVERY_MS = 10 * 60_000;
/** Milliseconds between turns while there is more to do, in which others have the machine. */
const PAUSE_MS = 200;

export interface RetentionOptions {
  lookEveryMs?: number;
  pauseMs?: number;
}

/** Forgets old events in the background, a few at a time. Disposing of it lets go of what it is at. */
export class Retention implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(
    ctx: RetentionContext & { logger: Logger },
    { lookEveryMs = LOOK_EVERY_MS, pauseMs = PAUSE_MS }: RetentionOptions = {},
  ) {
    this.#running = this.#run(ctx, lookEveryMs, pauseMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(
    ctx: RetentionContext & { logger: Logger },
    lookEveryMs: number,
    pauseMs: number,
  ): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const isMore = await runRetention(ctx, new Date(), signal).catch((error) => {
        ctx.logger.error({ err: error }, 'old events cannot be forgotten now');
        return false;
      });
      await sleep(isMore ? pauseMs : lookEveryMs, undefined, { signal, ref: false }).catch(
        () => undefined,
      );
    }
  }
}
