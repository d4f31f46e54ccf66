import { Client } from 'pg';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../testing/index.ts';
import { migrate } from './migrate.ts';
import { migrationNames, readMigrations } from './migration-files.ts';
import { openSchemaEngine } from './schema-engine.ts';

const PREVIOUS = '20261120143127_resync';
const NODE = 'did:web:node.test';
const ALICE = 'did:plc:alice';
const POST = `at://${ALICE}/zone.stratos.feed.post/3kabcdefghij2`;
const REPLY = `at://${ALICE}/zone.stratos.feed.post/3kabcdefghik2`;
const ART = `${NODE}/art`;

/** A row of each table as it was then. */
const ROWS: [table: string, row: Record<string, unknown>][] = [
  [
    'stratos_node',
    {
      did: NODE,
      endpoint: 'https://node.test',
      stream_cursor: '17',
      membership_seq: '3',
      membership_head: 'bafyhead',
      membership_read: '2',
      heartbeat_at: new Date('2026-01-01'),
      lease_until: new Date('2026-01-02'),
      first_seen_at: new Date('2025-12-31'),
    },
  ],
  [
    'stratos_actor',
    {
      did: ALICE,
      handle: 'alice.test',
      active: true,
      pds_rev: '3kaaa',
      handle_due_at: new Date('2026-01-01'),
      handle_failures: 2,
      updated_at: new Date('2026-01-01'),
    },
  ],
  [
    'stratos_enrollment',
    {
      did: ALICE,
      rkey: 'self',
      service_url: 'https://node.test',
      node_did: NODE,
      signing_key: 'did:key:zAlice',
      boundaries: [ART],
      enrolled_at: new Date('2026-01-01'),
      rev: '3kaaa',
      last_checked: new Date('2026-01-01'),
    },
  ],
  [
    'stratos_membership',
    {
      did: ALICE,
      node_did: NODE,
      active: true,
      seq: '3',
      signing_key: 'did:key:zAlice',
      issued_at: new Date('2026-01-01'),
    },
  ],
  ['stratos_membership_boundary', { did: ALICE, node_did: NODE, boundary: ART }],
  [
    'stratos_repo',
    {
      did: ALICE,
      node_did: NODE,
      rev: '3kabc',
      commit: 'bafycommit',
      data: 'bafydata',
      updated_at: new Date('2026-01-01'),
    },
  ],
  ...[POST, REPLY].flatMap((uri): typeof ROWS => [
    [
      'stratos_post',
      {
        uri,
        node_did: NODE,
        cid: 'bafypost',
        did: ALICE,
        rkey: uri.slice(-13),
        rev: '3kabc',
        record: Buffer.from('record'),
        text: 'An old text',
        reply_root: uri === REPLY ? POST : null,
        reply_parent: uri === REPLY ? POST : null,
        created_at: new Date('2026-01-01'),
        indexed_at: new Date('2026-01-02'),
        sort_at: new Date('2026-01-01'),
        boundaries: [ART],
      },
    ],
    [
      'stratos_post_boundary',
      { boundary: ART, sort_at: new Date('2026-01-01'), uri, node_did: NODE, did: ALICE },
    ],
  ]),
  [
    'stratos_stub',
    {
      uri: POST,
      did: ALICE,
      node_did: NODE,
      subject_cid: 'bafypost',
      rev: '3kaaa',
      seen_at: new Date('2026-01-01'),
    },
  ],
  [
    'stratos_tombstone',
    { uri: `${POST}x`, node_did: NODE, rev: '3kabb', deleted_at: new Date('2026-01-01') },
  ],
  [
    'stratos_refusal',
    {
      id: '9',
      node_did: NODE,
      did: ALICE,
      stream_seq: '5',
      reason: 'wrong-cid',
      refused_at: new Date('2026-01-01'),
    },
  ],
  [
    'stratos_resync',
    {
      did: 'did:plc:bob',
      node_did: NODE,
      reason: 'returned',
      asked: 2,
      due_at: new Date('2026-01-01'),
      failures: 1,
      created_at: new Date('2026-01-01'),
    },
  ],
  [
    'stratos_sync_cursor',
    { source: 'wss://pds.test', seq: '4', updated_at: new Date('2026-01-01') },
  ],
];

const RENAMED: Record<string, string> = { stratos_refusal: 'stratos_quarantine' };

test('a database of the previous version is migrated with everything in it', async () => {
  await using database = await createTestDatabase({ empty: true });
  await migrateTo(database.url, PREVIOUS);
  await using client = await connect(database.url);
  expect(await tablesOf(client)).toEqual([...new Set(ROWS.map(([table]) => table))].sort());
  for (const [table, row] of ROWS) await insert(client, table, row);
  await client.query("select setval('stratos_refusal_id_seq', 9)");

  const names = await migrationNames();
  expect(await migrate(database.url)).toEqual(names.slice(names.indexOf(PREVIOUS) + 1));

  for (const [table, row] of ROWS) {
    const found = await client.query(`select * from ${RENAMED[table] ?? table}`);
    expect(found.rows).toContainEqual(expect.objectContaining(row));
  }
});

test('what the previous version did not have is as if it had', async () => {
  await using database = await createTestDatabase({ empty: true });
  await migrateTo(database.url, PREVIOUS);
  await using client = await connect(database.url);
  for (const [table, row] of ROWS) await insert(client, table, row);
  await client.query("select setval('stratos_refusal_id_seq', 9)");
  await migrate(database.url);

  const first = async (sql: string) => (await client.query(sql)).rows[0];
  expect(await first('select * from stratos_node')).toMatchObject({
    stream: 'service',
    follower: null,
    follow_epoch: '0',
    newest_seq: '0',
    rolled_back_at: null,
  });
  expect(await first('select * from stratos_post')).toMatchObject({
    langs: [],
    tags: [],
    labels: [],
    facets: null,
    embed: null,
    quote: null,
    proof_rev: null,
  });
  expect(await first('select entry from stratos_membership')).toEqual({ entry: null });
  expect(
    await first("insert into stratos_quarantine (node_did, reason) values ('x', 'y') returning id"),
  ).toEqual({ id: '10' });

  // Every repo is fetched anew for its proofs, and who was waiting for one goes on waiting.
  const { rows: resyncs } = await client.query(
    'select did, reason, asked from stratos_resync order by did',
  );
  expect(resyncs).toEqual([
    { did: ALICE, reason: 'unproven', asked: 1 },
    { did: 'did:plc:bob', reason: 'returned', asked: 2 },
  ]);

  // What is readable can be searched for, and threads hang together.
  await client.query("select set_config('stratos.scope', $1, false)", [ART]);
  const { rows: found } = await client.query(
    'select uri from stratos_search($1, $2, null, null, null, 10) order by uri',
    [[ART], 'old TEXT'],
  );
  expect(found).toEqual([{ uri: POST }, { uri: REPLY }]);
  const { rows: references } = await client.query(
    'select uri, boundary, kind, subject from stratos_post_reference',
  );
  expect(references).toEqual([{ uri: REPLY, boundary: ART, kind: 'reply', subject: POST }]);
});

async function migrateTo(url: string, last: string): Promise<void> {
  const { migrationDirectories, ...list } = await readMigrations();
  await using engine = await openSchemaEngine(url);
  await engine.apply({
    ...list,
    migrationDirectories: migrationDirectories.filter(({ path }) => path <= last),
  });
}

async function connect(url: string): Promise<Client & AsyncDisposable> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

async function tablesOf(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select table_name as name from information_schema.tables
     where table_schema = 'public' and table_name <> '_prisma_migrations' order by 1`,
  );
  return rows.map(({ name }) => name);
}

async function insert(client: Client, table: string, row: Record<string, unknown>): Promise<void> {
  const columns = Object.keys(row);
  const places = columns.map((_, index) => `$${index + 1}`);
  await client.query(
    `insert into ${table} (${columns.join(', ')}) values (${places.join(', ')})`,
    Object.values(row),
  );
}
