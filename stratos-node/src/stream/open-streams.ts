import type { Did } from '@stratos/protocol';
import { NodeError } from '../node-error.ts';
import { STREAM_LIMITS, type StreamLimits } from './stream-limits.ts';

/** Counts the streams that are open, and lets nobody have too many. */
export class OpenStreams {
  readonly limits: StreamLimits;
  readonly #byCaller = new Map<Did, number>();
  #total = 0;

  constructor(limits: Partial<StreamLimits> = {}) {
    this.limits = { ...STREAM_LIMITS, ...limits };
  }

  get total(): number {
    return this.#total;
  }

  /** A place for one more stream, until it is disposed of. Throws `TooManyStreams`. */
  open(caller: Did): Disposable {
    const own = this.#byCaller.get(caller) ?? 0;
    if (own >= this.limits.perCaller || this.#total >= this.limits.inTotal) {
      throw new NodeError('TooManyStreams');
    }
    this.#byCaller.set(caller, own + 1);
    this.#total += 1;
    return { [Symbol.dispose]: () => this.#close(caller) };
  }

  #close(caller: Did): void {
    const left = (this.#byCaller.get(caller) ?? 1) - 1;
    if (left > 0) this.#byCaller.set(caller, left);
    else this.#byCaller.delete(caller);
    this.#total -= 1;
  }
}
