import { Metrics } from '@stratos/protocol/telemetry';

/** What a node counts. No label is a DID. */
export class NodeMetrics extends Metrics {
  readonly requests = this.histogram(
    'stratos_request_duration_seconds',
    'Requests by method (NSID or route) and HTTP status, until the answer was sent',
    ['method', 'status'],
  );
  readonly received = this.counter(
    'stratos_received_bytes_total',
    'Bytes of requests, with their headers',
    ['method'],
  );
  readonly sent = this.counter('stratos_sent_bytes_total', 'Bytes of answers, with their headers', [
    'method',
  ]);
  readonly refusedCallers = this.counter(
    'stratos_auth_failures_total',
    'Callers who could not prove who they are, by reason',
    ['reason'],
  );
  readonly tokenUses = this.counter(
    'stratos_replay_claims_total',
    'Uses of single-use tokens and proofs: first, repeated, or not to be found out',
    ['outcome'],
  );
  readonly writes = this.counter(
    'stratos_record_writes_total',
    'Records that were created, updated or deleted',
    ['action'],
  );
  readonly commits = this.counter('stratos_commits_total', 'Commits of repos', []);
  readonly consumers = this.gauge('stratos_stream_consumers', 'Streams that are open', ['method']);
  readonly frames = this.counter('stratos_stream_frames_total', 'Frames sent on streams', [
    'method',
  ]);
  readonly frameBytes = this.counter('stratos_stream_bytes_total', 'Bytes of those frames', [
    'method',
  ]);
  readonly streamErrors = this.counter(
    'stratos_stream_errors_total',
    'Streams that ended with an error: refused callers, wrong cursors, slow consumers',
    ['method'],
  );
  readonly jobs = this.histogram(
    'stratos_outbox_attempt_duration_seconds',
    'Attempts at jobs for PDSes by kind and outcome: done, retried or parked',
    ['kind', 'outcome'],
  );

  /** Counts a commit and what it changed. */
  committed(ops: Iterable<{ action: string }>): void {
    this.commits.inc();
    for (const { action } of ops) this.writes.inc({ action });
  }
}
