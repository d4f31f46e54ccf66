import { keptFor } from '@stratos/protocol/telemetry';
import type { NodeContext } from '../context.ts';
import { freeBytes } from './free-bytes.ts';
import type { NodeMetrics } from './metrics.ts';

type Observed = Pick<NodeContext, 'actors' | 'service' | 'config'>;

/** Adds what a node does not count but can look up: what it keeps and what waits. */
export function observeNode(metrics: NodeMetrics, { actors, service, config }: Observed): void {
  const shared = keptFor(1_000, () => service.outbox.summary());
  metrics.observeEach('stratos_outbox_jobs', 'Jobs for PDSes', ['state'], async () => {
    const { waiting, parked } = await shared();
    return [
      { labels: { state: 'waiting' }, value: waiting - parked },
      { labels: { state: 'parked' }, value: parked },
    ];
  });
  metrics.observe(
    'stratos_outbox_overdue_seconds',
    'How long the job that should have been tried first has been waiting for its turn',
    async () => overdueMs(await shared()) / 1000,
  );
  metrics.observeEach('stratos_enrollments', 'People', ['state'], async () => {
    const { enrolled, left } = await service.enrollments.count();
    return [
      { labels: { state: 'enrolled' }, value: enrolled },
      { labels: { state: 'left' }, value: left },
    ];
  });
  metrics.observe('stratos_stream_position', 'Newest position of the stream', () =>
    service.events.head(),
  );
  metrics.observe(
    'stratos_membership_position',
    'Newest entry of the membership log',
    async () => (await service.memberships.head())?.seq ?? 0,
  );
  if (actors.openDatabases !== undefined) {
    metrics.observe(
      'stratos_open_actors',
      "People's databases that are open",
      () => actors.openDatabases ?? 0,
    );
  }
  metrics.observe('stratos_data_free_bytes', 'Bytes free where the data lies', () =>
    freeBytes(config.dataDir),
  );
}

/** Milliseconds for which the most overdue job has been waiting for its turn. */
export function overdueMs({ dueSince }: { dueSince: number | undefined }): number {
  return dueSince === undefined ? 0 : Math.max(0, Date.now() - dueSince);
}
