import type { Logger } from '../../logger.ts';
import type { StreamSignal } from '../../stream/stream-signal.ts';
import type { PostgresSession } from './session.ts';

const CHANNEL = 'stratos_stream';
/** How often streams look by themselves, should a notification be lost. */
const LOOK_EVERY_MS = 5_000;
/** How often one looks for what processes that are gone left undone. */
const TAKE_OVER_EVERY_MS = 30_000;

export interface AnnouncementsOptions {
  session: PostgresSession;
  signal: StreamSignal;
  logger: Logger;
  /** Does what processes that are gone left undone. */
  takeOver: () => Promise<void>;
  lookEveryMs?: number;
  takeOverEveryMs?: number;
}

/** Wakes the streams of this process when another one made the node's stream grow, and the reverse. */
export class Announcements implements AsyncDisposable {
  readonly #options: AnnouncementsOptions;
  readonly #timers: NodeJS.Timeout[];
  #telling: Promise<void> | undefined;
  #tellAgain = false;
  #takingOver: Promise<void> | undefined;

  private constructor(options: AnnouncementsOptions) {
    const { signal, lookEveryMs = LOOK_EVERY_MS } = options;
    this.#options = options;
    this.#timers = [
      setInterval(() => signal.wake(), lookEveryMs),
      setInterval(() => this.#takeOver(), options.takeOverEveryMs ?? TAKE_OVER_EVERY_MS),
    ];
  }

  static async open(options: AnnouncementsOptions): Promise<Announcements> {
    const { session, signal } = options;
    const announcements = new Announcements(options);
    await session.listen(CHANNEL, (processId) => {
      if (processId !== session.processId) signal.wake();
    });
    signal.onRaise = () => announcements.#tell();
    return announcements;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#takingOver;
    this.#options.signal.onRaise = undefined;
    while (this.#telling) await this.#telling;
  }

  #tell(): void {
    this.#tellAgain = true;
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = undefined;
    });
  }

  async #tellAll(): Promise<void> {
    const { session, logger } = this.#options;
    while (this.#tellAgain) {
      this.#tellAgain = false;
      try {
        await session.notify(CHANNEL, session.processId);
      } catch (error) {
        // @NOTE the others look by themselves
        logger.debug({ err: error }, 'other processes were not told');
      }
    }
  }

  #takeOver(): void {
    const { logger, takeOver } = this.#options;
    this.#takingOver ??= takeOver()
      .catch((error) => logger.warn({ err: error }, 'what others left undone must wait'))
      .finally(() => {
        this.#takingOver = undefined;
      });
  }
}
