import { isShortage } from './database.ts';

/** Whether the database has lately had no room for what was to be written. */
export class Shortage {
  readonly #windowMs: number;
  #notedAt = Number.NEGATIVE_INFINITY;

  /** @param windowMs - longer than the longest wait between two attempts at writing */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Takes note of what writing failed with. */
  note(error: unknown): void {
    if (isShortage(error)) this.#notedAt = performance.now();
  }

  get isLasting(): boolean {
    return performance.now() - this.#notedAt < this.#windowMs;
  }
}
