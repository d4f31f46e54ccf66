import type { StreamSignal } from './stream-signal.ts';

/** Milliseconds for which what was read counts as what is, even if nobody says otherwise. */
const HOLDS_FOR_MS = 1_000;

/** When something was read: tells whether anything may have happened on the node since. */
export class Moment {
  /** Version of the node's signal then. */
  readonly version: number;
  readonly #signal: Pick<StreamSignal, 'version'>;
  readonly #madeAt = performance.now();

  constructor(signal: Pick<StreamSignal, 'version'>) {
    this.#signal = signal;
    this.version = signal.version;
  }

  get isPast(): boolean {
    return this.#signal.version !== this.version || performance.now() - this.#madeAt > HOLDS_FOR_MS;
  }
}
