/** Calls `cut`, once, when a consumer has not taken a frame after `stallAfterMs`, or soon after that. */
export class StallGuard implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #waitingSince: number | undefined;

  constructor(cut: () => void, stallAfterMs: number) {
    this.#timer = setInterval(() => {
      if (this.#waitingSince === undefined) return;
      if (performance.now() - this.#waitingSince < stallAfterMs) return;
      clearInterval(this.#timer);
      cut();
    }, stallAfterMs / 2);
    this.#timer.unref();
  }

  /** A frame is on its way. */
  sending(): void {
    this.#waitingSince = performance.now();
  }

  /** The consumer has it. */
  taken(): void {
    this.#waitingSince = undefined;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Passes a stream on, and calls `cut` when the consumer has not taken a part of it in time. */
export async function* cutWhenStalled<T>(
  source: AsyncIterable<T>,
  cut: () => void,
  stallAfterMs: number,
): AsyncGenerator<T> {
  using guard = new StallGuard(cut, stallAfterMs);
  for await (const item of source) {
    guard.sending();
    yield item;
    guard.taken();
  }
}
