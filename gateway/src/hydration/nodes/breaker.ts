/** Failures in a row after which a node is left alone. */
const FAILURES = 3;
const FIRST_OPEN_MS = 1_000;
const MAX_OPEN_MS = 30_000;

/**
 * Whether a node is asked. After three failures in a row it is left alone for a second, and twice as long after
 * each failure from then on, up to half a minute. In between one call may show that it is back.
 */
export class Breaker {
  #failures = 0;
  #openUntil = 0;
  #isTrying = false;

  /** Whether it may be asked now. Who asks has to say how it went. */
  mayAsk(now = performance.now()): boolean {
    if (this.#failures < FAILURES) return true;
    if (this.#isTrying || now < this.#openUntil) return false;
    this.#isTrying = true;
    return true;
  }

  worked(): void {
    this.#failures = 0;
    this.#isTrying = false;
  }

  failed(now = performance.now()): void {
    this.#failures += 1;
    this.#isTrying = false;
    const openMs = FIRST_OPEN_MS * 2 ** (this.#failures - FAILURES);
    this.#openUntil = now + Math.min(MAX_OPEN_MS, openMs);
  }
}
