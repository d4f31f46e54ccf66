/** How long a transaction should take, so that what arrives meanwhile does not wait for long. */
const AIM_MS = 50;
const [LEAST, MOST] = [100, 500];

/** How many events are applied in one transaction, as their time has been so far. */
export class BatchSize {
  #msEach = AIM_MS / LEAST;

  get most(): number {
    return Math.round(Math.min(Math.max(AIM_MS / this.#msEach, LEAST), MOST));
  }

  async measure<T>(count: number, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await work();
    const msEach = (performance.now() - start) / count;
    // Few events say little of many, because each transaction takes its time.
    if (count >= LEAST) this.#msEach += (msEach - this.#msEach) / 4;
    return result;
  }
}
