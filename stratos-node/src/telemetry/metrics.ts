import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds between which durations are counted: from a read in memory to what nobody waits for. */
const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * What a node counts. Labels are of small, known sets: never a DID, a boundary, a path or anything
 * that somebody wrote.
 */
export class NodeMetrics {
  readonly registry = new Registry();

  readonly requests = this.#histogram(
    'stratos_request_duration_seconds',
    'Requests by method (NSID or route) and HTTP status, until the answer was sent',
    ['method', 'status'],
  );
  readonly received = this.#counter(
    'stratos_received_bytes_total',
    'Bytes of requests, with their headers',
    ['method'],
  );
  readonly sent = this.#counter(
    'stratos_sent_bytes_total',
    'Bytes of answers, with their headers',
    ['method'],
  );
  readonly refusedCallers = this.#counter(
    'stratos_auth_failures_total',
    'Callers who could not prove who they are, by reason',
    ['reason'],
  );
  readonly tokenUses = this.#counter(
    'stratos_replay_claims_total',
    'Uses of single-use tokens and proofs: first, repeated, or not to be found out',
    ['outcome'],
  );
  readonly writes = this.#counter(
    'stratos_record_writes_total',
    'Records that were created, updated or deleted',
    ['action'],
  );
  readonly commits = this.#counter('stratos_commits_total', 'Commits of repos', []);
  readonly consumers = this.#gauge('stratos_stream_consumers', 'Streams that are open', ['method']);
  readonly frames = this.#counter('stratos_stream_frames_total', 'Frames sent on streams', [
    'method',
  ]);
  readonly frameBytes = this.#counter('stratos_stream_bytes_total', 'Bytes of those frames', [
    'method',
  ]);
  readonly streamErrors = this.#counter(
    'stratos_stream_errors_total',
    'Streams that ended with an error: refused callers, wrong cursors, slow consumers',
    ['method'],
  );
  readonly jobs = this.#histogram(
    'stratos_outbox_attempt_duration_seconds',
    'Attempts at jobs for PDSes by kind and outcome: done, retried or parked',
    ['kind', 'outcome'],
  );

  /** Counts a commit and what it changed. */
  committed(ops: Iterable<{ action: string }>): void {
    this.commits.inc();
    for (const { action } of ops) this.writes.inc({ action });
  }

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

  #counter(name: string, help: string, labelNames: readonly string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #gauge(name: string, help: string, labelNames: readonly string[]): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string, labelNames: readonly string[]): Histogram {
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
