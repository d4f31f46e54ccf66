import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export type { Histogram };

/** Seconds between which durations are counted: from a read in memory to what nobody waits for. */
const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * What a service counts. Labels are of small, known sets: never a person's DID, a boundary, a path or
 * anything that somebody wrote.
 */
export class Metrics {
  readonly registry = new Registry();

  /** Adds a gauge whose value is found out when somebody asks. */
  observe(name: string, help: string, value: () => Promise<number> | number): void {
    this.observeEach(name, help, [], async () => [{ labels: {}, value: await value() }]);
  }

  /** The same with labels. What cannot be found out is left out. */
  observeEach(
    name: string,
    help: string,
    labelNames: readonly string[],
    values: () => Promise<readonly Reading[]>,
  ): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      async collect() {
        this.reset();
        const readings = await values().catch(() => []);
        for (const { labels, value } of readings) this.set(labels, value);
      },
    });
  }

  /** Everything that was counted, as Prometheus takes it. */
  async text(): Promise<string> {
    return this.registry.metrics();
  }

  protected counter(name: string, help: string, labelNames: readonly string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  protected gauge(name: string, help: string, labelNames: readonly string[]): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  /** Of durations in seconds. */
  protected histogram(name: string, help: string, labelNames: readonly string[]): Histogram {
    return new Histogram({
      name,
      help,
      labelNames,
      buckets: DURATIONS,
      registers: [this.registry],
    });
  }
}

export interface Reading {
  labels: Record<string, string>;
  value: number;
}
