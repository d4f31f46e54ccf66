import { setTimeout as pause } from 'node:timers/promises';

/** How many of the newest answers say how long a node takes. */
const REMEMBERED = 50;

/** How long a node took of late. */
export class Latencies {
  readonly #newest: number[] = [];

  add(ms: number): void {
    this.#newest.push(ms);
    if (this.#newest.length > REMEMBERED) this.#newest.shift();
  }

  /** Milliseconds within which 95 of 100 answers came; undefined while there were too few to say. */
  get p95(): number | undefined {
    if (this.#newest.length < REMEMBERED / 5) return undefined;
    return this.#newest.toSorted((a, b) => a - b)[Math.floor(this.#newest.length * 0.95)];
  }
}

export interface HedgeOptions {
  /** Milliseconds after which it is attempted a second time, whatever became of the first. */
  againAfterMs: number;
  /** Milliseconds after which nothing is waited for any more. */
  timeoutMs: number;
}

/**
 * The first of two attempts to succeed, of which the second is made when the first takes long. Rejects when both
 * fail or the time is over. What is not needed any more is aborted.
 */
export async function hedged<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  { againAfterMs, timeoutMs }: HedgeOptions,
): Promise<T> {
  const over = new AbortController();
  const { signal } = over;
  const again = async () => {
    await pause(againAfterMs, undefined, { signal });
    return attempt(signal);
  };
  const timeout = pause(timeoutMs, undefined, { signal }).then(() => {
    throw new DOMException('the node does not answer in time', 'TimeoutError');
  });
  try {
    return await Promise.race([Promise.any([attempt(signal), again()]), timeout]);
  } finally {
    over.abort();
    timeout.catch(() => undefined);
  }
}
