import { createPrismaClient } from '@stratos/prisma';
import { createTestDatabase } from '@stratos/prisma/testing';
import { expect, test } from 'vitest';
import type { SourceStatus } from '../nodes/node-follower.ts';
import { IndexerMetrics } from '../telemetry/indexer-metrics.ts';
import { Watch } from './watch.ts';

const following = { connected: true, cursor: 7, lag: 3, refused: 0 };

test('tells of each source how it gets on, and of what waits', async () => {
  await using database = await createTestDatabase();
  const db = createPrismaClient(database.url, { poolSize: 1 });
  const nodes: Record<string, SourceStatus> = {
    'did:web:good.example': { ...following, breaker: 'half-open' },
    'did:web:lying.example': { ...following, connected: false, refused: 9, breaker: 'open' },
    'did:web:away.example': { ...following, connected: false, errors: 4 },
    'did:web:older.example': { ...following, people: { sockets: 8, waiting: 30 } },
  };
  await using watch = new Watch({
    db,
    firehose: async () => undefined,
    nodes: () => nodes,
    resyncs: async () => ({ waiting: 2, done: 5, records: 50, recordsPerSecond: 10 }),
    onError: (error) => {
      throw error;
    },
  });
  await db.pdsResync.create({ data: { did: 'did:plc:rei', reason: 'operator' } });
  expect(await watch.status()).toMatchObject({
    firehose: null,
    nodes: {
      'did:web:good.example': { state: 'following', newest: 10, errors: 0, rate: 0 },
      'did:web:lying.example': { state: 'left-alone', refused: 9 },
      'did:web:away.example': { state: 'connecting', errors: 4 },
      'did:web:older.example': { state: 'following', people: { sockets: 8, waiting: 30 } },
    },
    resyncs: 2,
    pdsResyncs: 1,
    fetched: { done: 5, records: 50, recordsPerSecond: 10 },
    queues: { pdsResyncs: 1, quarantined: 0 },
  });

  const metrics = new IndexerMetrics();
  watch.observe(metrics);
  const text = await metrics.text();
  expect(text).toContain('stratos_indexer_left_alone{source="did:web:lying.example"} 1');
  expect(text).toContain('stratos_indexer_lag{source="did:web:good.example"} 3');
  expect(text).toContain('stratos_indexer_errors{source="did:web:away.example"} 4');
  expect(text).toContain('stratos_indexer_people_heard{source="did:web:older.example"} 8');
  expect(text).toContain('stratos_indexer_people_waiting{source="did:web:older.example"} 30');
  expect(text).toContain('stratos_indexer_people_waiting{source="did:web:good.example"} 0');
  expect(text).toContain('stratos_indexer_queue{queue="pdsResyncs"} 1');
  expect(text).toContain('stratos_indexer_fetched_records 50');
  expect(text).not.toContain('did:plc');
  await db.$disconnect();
});

test('goes on telling of sources while the database does not answer', async () => {
  const db = createPrismaClient('postgresql://nobody@127.0.0.1:1/nothing', { poolSize: 1 });
  await using watch = new Watch({
    db,
    firehose: async () => following,
    nodes: () => ({}),
    resyncs: () => Promise.reject(new Error('the database does not answer')),
    onError: () => {},
  });
  const metrics = new IndexerMetrics();
  watch.observe(metrics);
  const text = await metrics.text();
  expect(text).toContain('stratos_indexer_position{source="firehose"} 7');
  expect(text).not.toContain('queue="');
  await db.$disconnect();
});
