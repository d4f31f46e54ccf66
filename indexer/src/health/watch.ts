import { keptFor, type Reading } from '@stratos/protocol/telemetry';
import type { Database } from '../database.ts';
import { type Recurring, recurring } from '../lookups/recurring.ts';
import type { SourceStatus } from '../nodes/node-follower.ts';
import type { ResyncProgress } from '../resync/resync-progress.ts';
import type { IndexerMetrics } from '../telemetry/indexer-metrics.ts';
import { Rates } from '../telemetry/rates.ts';
import { type Queues, readQueues } from './queues.ts';

const SAMPLE_MS = 5_000;
/** Milliseconds for which counts of the database are told again. */
const KEPT_MS = 5_000;
const FIREHOSE = 'firehose';

/** `left-alone`: its breaker is open, because it lied or sent garbage. */
export type SourceState = 'following' | 'connecting' | 'left-alone';

/** Where the indexer is in a source, and how it gets on. */
export interface SourceReport extends SourceStatus {
  state: SourceState;
  /** Connections that failed. */
  errors: number;
  /** Newest position that the source has told of. */
  newest: number;
  /** Positions per second over the last minute. */
  rate: number;
}

export interface StatusReport {
  /** Null while another indexer follows it. */
  firehose: SourceReport | null;
  /** The nodes that this indexer follows. */
  nodes: Record<string, SourceReport>;
  /** Repos that are to be fetched, by all indexers together. */
  resyncs: number;
  /** People whose public records are to be read. */
  pdsResyncs: number;
  /** What this indexer has fetched since it began. */
  fetched: Omit<ResyncProgress, 'waiting'>;
  queues: Queues;
}

export interface WatchOptions {
  db: Database;
  /** Undefined while another indexer follows it. */
  firehose: () => Promise<SourceStatus | undefined>;
  nodes: () => Record<string, SourceStatus>;
  resyncs: () => Promise<ResyncProgress>;
  onError: (error: unknown) => void;
}

/** Tells where the indexer is in each source, to operators and to Prometheus. */
export class Watch implements AsyncDisposable {
  readonly #options: WatchOptions;
  readonly #rates = new Rates();
  readonly #sampling: Recurring;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#sampling = recurring(SAMPLE_MS, () => this.#sample(), options.onError);
  }

  async status(): Promise<StatusReport> {
    const { waiting, ...fetched } = await this.#options.resyncs();
    const { [FIREHOSE]: firehose = null, ...nodes } = await this.#sources();
    const queues = await readQueues(this.#options.db);
    const { pdsResyncs } = queues;
    return { firehose, nodes, resyncs: waiting, pdsResyncs, fetched, queues };
  }

  /** Adds what is not counted but can be looked up. */
  observe(metrics: IndexerMetrics): void {
    const sources = keptFor(1_000, () => this.#sources());
    const bySource = (name: string, help: string, value: (source: SourceReport) => number) =>
      metrics.observeEach(`stratos_indexer_${name}`, help, ['source'], async () =>
        readingsOf(await sources(), value),
      );
    bySource('position', 'Up to where a source is applied', ({ cursor }) => cursor);
    bySource('lag', 'Events that a source has and we have not', ({ lag }) => lag);
    bySource('connected', 'Whether a source is followed: 1 or 0', ({ connected }) =>
      Number(connected),
    );
    bySource('left_alone', 'Whether a node is left alone because it lied: 1 or 0', ({ state }) =>
      Number(state === 'left-alone'),
    );
    bySource('refused', 'What a source sent and was refused', ({ refused }) => refused);
    bySource('errors', 'Connections to a source that failed', ({ errors }) => errors);
    bySource(
      'people_heard',
      'People of a node without a stream of all who are listened to',
      ({ people }) => people?.sockets ?? 0,
    );
    bySource('people_waiting', 'Those of them who wait for their turn', ({ people }) => {
      return people?.waiting ?? 0;
    });
    const queues = keptFor(KEPT_MS, () => readQueues(this.#options.db));
    metrics.observeEach(
      'stratos_indexer_queue',
      'What waits or is noted in the database, for all indexers together',
      ['queue'],
      async () =>
        Object.entries(await queues()).map(([queue, value]) => ({
          labels: { queue },
          value,
        })),
    );
    const fetched = keptFor(1_000, this.#options.resyncs);
    metrics.observe(
      'stratos_indexer_fetched_repos',
      'Repos that this indexer has fetched since it began',
      async () => (await fetched()).done,
    );
    metrics.observe(
      'stratos_indexer_fetched_records',
      'Records of those repos',
      async () => (await fetched()).records,
    );
  }

  async #sources(): Promise<Record<string, SourceReport>> {
    const firehose = await this.#options.firehose();
    const all = { ...(firehose && { [FIREHOSE]: firehose }), ...this.#options.nodes() };
    const entries = Object.entries(all).map(([name, source]) => [
      name,
      {
        state: stateOf(source),
        errors: 0,
        ...source,
        newest: source.cursor + source.lag,
        rate: this.#rates.of(name),
      },
    ]);
    return Object.fromEntries(entries);
  }

  async #sample(): Promise<void> {
    const { firehose, nodes } = this.#options;
    const cursor = (await firehose())?.cursor;
    const positions = Object.entries(nodes()).map(([did, { cursor }]) => [did, cursor] as const);
    this.#rates.sample(
      new Map([...positions, ...(cursor === undefined ? [] : [[FIREHOSE, cursor] as const])]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sampling[Symbol.asyncDispose]();
  }
}

function stateOf({ connected, breaker }: SourceStatus): SourceState {
  if (breaker === 'open') return 'left-alone';
  return connected ? 'following' : 'connecting';
}

function readingsOf(
  sources: Record<string, SourceReport>,
  value: (source: SourceReport) => number,
): Reading[] {
  return Object.entries(sources).map(([source, report]) => ({
    labels: { source },
    value: value(report),
  }));
}
