/** Random numbers that a seed decides, so that a run can be tried again. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, not including, 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  oneOf<T>(list: readonly T[]): T {
    const chosen = list[Math.floor(this.next() * list.length)];
    if (chosen === undefined) throw new Error('there is nothing to choose from');
    return chosen;
  }

  /** Some of a list, in its order. */
  someOf<T>(list: readonly T[], count: number): T[] {
    const rest = [...list.keys()];
    while (rest.length > count) rest.splice(Math.floor(this.next() * rest.length), 1);
    return rest.map((index) => list[index] as T);
  }

  /** A generator of its own, for somebody who works beside others. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 2 ** 32));
  }
}
