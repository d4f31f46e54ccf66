const WINDOW_MS = 60_000;

interface Sample {
  at: number;
  position: number;
}

/** How fast sources go on, from where they are at intervals. */
export class Rates {
  readonly #samples = new Map<string, Sample[]>();

  /** Takes note of where all sources are; others are forgotten. */
  sample(positions: ReadonlyMap<string, number>, at = performance.now()): void {
    for (const source of this.#samples.keys()) {
      if (!positions.has(source)) this.#samples.delete(source);
    }
    for (const [source, position] of positions) {
      const samples = this.#samples.get(source) ?? [];
      this.#samples.set(source, samples);
      samples.push({ at, position });
      while (samples[1] && samples[1].at <= at - WINDOW_MS) samples.shift();
    }
  }

  /** Positions per second over the last minute, or for as long as the source is known. */
  of(source: string): number {
    const samples = this.#samples.get(source) ?? [];
    const [first] = samples;
    const last = samples.at(-1);
    if (!first || !last || last.at === first.at) return 0;
    const perSecond = ((last.position - first.position) * 1000) / (last.at - first.at);
    return Math.round(Math.max(0, perSecond) * 100) / 100;
  }
}
