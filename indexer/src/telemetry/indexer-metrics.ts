import { Metrics } from '@stratos/protocol/telemetry';

/** What an indexer counts. Nodes are the only DIDs among its labels: there are INDEXER_MAX_NODES at most. */
export class IndexerMetrics extends Metrics {
  readonly batches = this.histogram(
    'stratos_indexer_batch_duration_seconds',
    'Batches of events of nodes, from their turn until they are stored, by outcome: applied or failed',
    ['outcome'],
  );
  readonly events = this.counter(
    'stratos_indexer_events_total',
    'Events of nodes that are applied',
    ['source'],
  );
  readonly publicEvents = this.histogram(
    'stratos_indexer_public_event_duration_seconds',
    'Events of the firehose that matter here, by outcome: applied or failed',
    ['outcome'],
  );
  readonly fetches = this.histogram(
    'stratos_indexer_repo_fetch_duration_seconds',
    'Whole repos that were fetched and taken over, by outcome: applied or failed',
    ['outcome'],
  );
}
