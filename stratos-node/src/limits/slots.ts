import type { Did } from '@stratos/protocol';
import { NodeError } from '../node-error.ts';

const RETRY_AFTER_SECONDS = 5;

export interface SlotLimits {
  /** At once, for everybody together. */
  total: number;
  /** At once, for one caller. */
  perCaller: number;
}

/** Bounds how many of something that takes long are under way. */
export class Slots {
  readonly #limits: SlotLimits;
  readonly #taken = new Map<Did, number>();

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /** Throws `RateLimitExceeded` if there are too many; disposing of what it returns gives the slot back. */
  take(caller: Did): Disposable {
    const own = this.#taken.get(caller) ?? 0;
    const all = this.#taken.values().reduce((sum, count) => sum + count, 0);
    if (own >= this.#limits.perCaller || all >= this.#limits.total) {
      throw new NodeError('RateLimitExceeded', 'Too many transfers at once', {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    }
    this.#taken.set(caller, own + 1);
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (isTaken) this.#giveBack(caller);
        isTaken = false;
      },
    };
  }

  #giveBack(caller: Did): void {
    const left = (this.#taken.get(caller) ?? 1) - 1;
    if (left === 0) this.#taken.delete(caller);
    else this.#taken.set(caller, left);
  }
}
