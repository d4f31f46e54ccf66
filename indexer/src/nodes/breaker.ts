import { backoffMs } from '../backoff.ts';

/** Connections in a row that ended with a lie or with garbage before a node is left alone. */
const STRIKES = 3;
/** What a connection must last without either for the node to count as mended. */
const MENDED_AFTER_MS = 60_000;

/** `closed`: it is followed. `open`: it is left alone. `half-open`: it has one connection to show itself. */
export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  /** Longest wait between two attempts at a node that only cannot be reached. */
  maxReconnectMs: number;
  /** Longest time for which a node that lies is left alone. */
  maxOpenMs: number;
}

/** When to connect to a node again, after how it has been so far. */
export class Breaker {
  readonly #options: BreakerOptions;
  #attempts = 0;
  #strikes = 0;
  #connectedAt: number | undefined;
  #state: BreakerState = 'closed';

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Something of the node's was applied. */
  worked(now = performance.now()): void {
    this.#attempts = 0;
    this.#connectedAt ??= now;
    if (now - this.#connectedAt < MENDED_AFTER_MS) return;
    this.#strikes = 0;
    this.#state = 'closed';
  }

  /** The connection is over. @param isBroken - because of what the node sent */
  ended({ isBroken }: { isBroken: boolean }): void {
    this.#connectedAt = undefined;
    if (isBroken) this.#strikes++;
    if (this.#strikes >= STRIKES) this.#state = 'open';
  }

  /** Milliseconds to wait before the next connection. */
  wait(): number {
    const { maxReconnectMs, maxOpenMs } = this.#options;
    if (this.#state === 'closed') return backoffMs(this.#attempts++, maxReconnectMs);
    return Math.min(maxOpenMs, maxReconnectMs * 2 ** (this.#strikes - STRIKES));
  }

  /** The wait is over. */
  connecting(): void {
    if (this.#state === 'open') this.#state = 'half-open';
  }
}
