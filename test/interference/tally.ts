const COUNTED = ['begun', 'worlds', 'cases', 'answers', 'failures'] as const;

type Counted = (typeof COUNTED)[number];

/** Counts of several threads together. */
export class Tally {
  /** What another thread makes the same tally of. */
  readonly memory: SharedArrayBuffer;
  readonly #counts: BigInt64Array;

  constructor(memory = new SharedArrayBuffer(COUNTED.length * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#counts = new BigInt64Array(memory);
  }

  /** Adds to a count, and returns what it was before. */
  add(counted: Counted, count = 1): number {
    return Number(Atomics.add(this.#counts, COUNTED.indexOf(counted), BigInt(count)));
  }

  of(counted: Counted): number {
    return Number(Atomics.load(this.#counts, COUNTED.indexOf(counted)));
  }
}
