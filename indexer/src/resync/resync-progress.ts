/** Milliseconds over which the rate is measured. */
const WINDOW_MS = 10_000;

export interface ResyncProgress {
  /** Repos that are to be fetched, other than of those who left. */
  waiting: number;
  /** Repos that were fetched since the start. */
  done: number;
  /** Records of those. */
  records: number;
  /** Over the last seconds. */
  recordsPerSecond: number;
}

/** Counts what is fetched. */
export class ResyncMeter {
  readonly #latest: { at: number; records: number }[] = [];
  #done = 0;
  #records = 0;

  add(records: number): void {
    this.#done += 1;
    this.#records += records;
    this.#latest.push({ at: performance.now(), records });
  }

  progress(waiting: number): ResyncProgress {
    const since = performance.now() - WINDOW_MS;
    while (this.#latest[0] && this.#latest[0].at < since) this.#latest.shift();
    const records = this.#latest.reduce((sum, each) => sum + each.records, 0);
    const recordsPerSecond = Math.round((records * 1000) / WINDOW_MS);
    return { waiting, done: this.#done, records: this.#records, recordsPerSecond };
  }
}
