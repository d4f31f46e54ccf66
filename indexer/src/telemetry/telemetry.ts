import type { Did } from '@stratos/protocol';
import {
  type Attributes,
  type Histogram,
  noTracer,
  type Tracer,
  traced,
} from '@stratos/protocol/telemetry';
import { IndexerMetrics } from './indexer-metrics.ts';

/** Counts what the indexer does, and follows it where a tracer does. */
export class Telemetry {
  readonly metrics = new IndexerMetrics();
  readonly #tracer: Tracer;

  constructor(tracer: Tracer = noTracer) {
    this.#tracer = tracer;
  }

  /** Events of a node that are applied together. */
  async batch<T>(node: Did, events: number, apply: () => Promise<T>): Promise<T> {
    const { batches, events: applied } = this.metrics;
    const outcome = await this.#step('node batch', { node, events }, batches, apply);
    applied.inc({ source: node }, events);
    return outcome;
  }

  /** A repo that is fetched and taken over. */
  async fetch<T>(node: Did, fetch: () => Promise<T>): Promise<T> {
    return this.#step('repo fetch', { node }, this.metrics.fetches, fetch);
  }

  /** An event of the firehose. */
  async publicEvent<T>(apply: () => Promise<T>): Promise<T> {
    return this.#step('public event', {}, this.metrics.publicEvents, apply);
  }

  async #step<T>(
    name: string,
    attributes: Attributes,
    durations: Histogram,
    task: () => Promise<T>,
  ): Promise<T> {
    const stop = durations.startTimer();
    try {
      const result = await traced(this.#tracer, name, attributes, task);
      stop({ outcome: 'applied' });
      return result;
    } catch (error) {
      stop({ outcome: 'failed' });
      throw error;
    }
  }
}

/** For who need not be told. */
export const noTelemetry = new Telemetry();
