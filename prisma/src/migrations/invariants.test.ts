import { Client, DatabaseError } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';

const NODE = 'did:web:n%3A1';
const ALICE = 'did:plc:alice';
const URI = `at://${ALICE}/zone.stratos.feed.post/3kabc`;

/** The checks that something here violates. */
const violated = new Set<string>();

let database: TestDatabase;
let client: Client;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(`
    insert into stratos_node (did, endpoint) values ('${NODE}', 'http://n:1');
    insert into stratos_actor (did, handle, updated_at) values ('${ALICE}', 'alice.test', now());
    insert into stratos_enrollment (did, rkey, service_url, signing_key, enrolled_at, rev)
      values ('${ALICE}', 'self', 'http://n:1', 'did:key:z', now(), 'rev');
    insert into stratos_membership (did, node_did, active, seq, signing_key, issued_at)
      values ('${ALICE}', '${NODE}', true, 1, 'did:key:z', now());
    insert into stratos_membership_boundary (did, node_did, boundary) values ('${ALICE}', '${NODE}', '${NODE}/art');
    insert into stratos_repo (did, node_did, rev, commit, data, updated_at)
      values ('${ALICE}', '${NODE}', 'rev', 'commit', 'data', now());
    insert into stratos_proof (did, node_did, rev, commit, signing_key, car)
      values ('${ALICE}', '${NODE}', 'rev', 'commit', 'did:key:z', '\\x00');
    insert into stratos_actor_cursor (did, node_did, seq) values ('${ALICE}', '${NODE}', 1);
    insert into stratos_resync (did, node_did, reason) values ('${ALICE}', '${NODE}', 'returned');
    insert into stratos_pds_resync (did, reason) values ('${ALICE}', 'gap');
    insert into stratos_waiting_commit (did, node_did, stream_seq, frame) values ('${ALICE}', '${NODE}', 1, '\\x00');
    insert into stratos_post (uri, node_did, cid, did, rkey, rev, record, text, reply_root, reply_parent,
      created_at, indexed_at, sort_at, boundaries, proof_rev)
      values ('${URI}', '${NODE}', 'cid', '${ALICE}', '3kabc', 'rev', '\\x00', 'words', 'at://b/c/d', 'at://b/c/d',
        '2026-01-01', '2026-01-02', '2026-01-01', array['${NODE}/art'], 'rev');
    insert into stratos_post_boundary (boundary, sort_at, uri, node_did, did, cid, indexed_at)
      values ('${NODE}/art', '2026-01-01', '${URI}', '${NODE}', '${ALICE}', 'cid', '2026-01-02');
    insert into stratos_stub (uri, did, node_did, subject_cid, rev)
      values ('${URI}', '${ALICE}', '${NODE}', 'cid', 'rev');
    insert into stratos_tombstone (uri, node_did, rev) values ('${URI}x', '${NODE}', 'rev');
    insert into stratos_quarantine (node_did, did, reason) values ('${NODE}', '${ALICE}', 'wrong-cid');
    insert into stratos_hold (node_did, did, stream_seq, boundary) values ('${NODE}', '${ALICE}', 1, '${NODE}/art');
    insert into stratos_hold (node_did, did, stream_seq, uri)
      values ('${NODE}', '${ALICE}', 1, '${URI}'), ('${NODE}', '${ALICE}', 1, 'at://${ALICE}');
    insert into stratos_change (kind, node_did, did, uri) values ('post', '${NODE}', '${ALICE}', '${URI}');
    insert into stratos_sync_cursor (source, seq, updated_at) values ('wss://pds', 1, now());
    insert into stratos_follower (id, alive_until) values ('one', now());`);
});
afterAll(async () => {
  await client.end();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await client.query('begin');
  return () => client.query('rollback');
});

const set = (table: string, assignment: string) => `update stratos_${table} set ${assignment}`;

test.each([
  ['a node without a DID', set('node', "did = 'node'")],
  ['a node without an address', set('node', "endpoint = ''")],
  ['a position below zero', set('node', 'stream_cursor = -1')],
  ['a position of a node below zero', set('node', 'newest_seq = -1')],
  ['an epoch below zero', set('node', 'follow_epoch = -1')],
  ['a log that was read before its beginning', set('node', 'membership_read = -1')],
  ['a log position without its head', set('node', 'membership_seq = 1')],
  ['a stream of another kind', set('node', "stream = 'other'")],
  ['an actor without a DID', set('actor', "did = 'alice'")],
  ['a handle in capitals', set('actor', "handle = 'Alice.test'")],
  ['an empty handle', set('actor', "handle = ''")],
  ['failures below zero', set('actor', 'handle_failures = -1')],
  ['an enrollment of no DID', set('enrollment', "did = 'alice'")],
  ['an enrollment at no URL', set('enrollment', "service_url = ''")],
  ['an enrollment with no node for a node', set('enrollment', "node_did = 'node'")],
  ['an enrollment of no key', set('enrollment', "signing_key = 'z'")],
  [
    'a membership of no DID',
    "insert into stratos_membership select 'x', node_did, active, seq, signing_key, issued_at from stratos_membership",
  ],
  ['a statement before the first', set('membership', 'seq = 0')],
  ['a membership of no key', set('membership', "signing_key = 'z'")],
  ['an empty statement', set('membership', "entry = ''")],
  [
    'a membership in a boundary of another node',
    set('membership_boundary', "boundary = 'did:web:nX3A1/art'"),
  ],
  ['a boundary that stands for two', set('membership_boundary', `boundary = '${NODE}/a b'`)],
  ['a repo without a head', set('repo', "commit = ''")],
  ['an empty proof', set('proof', "car = ''")],
  ['a proof of no DID', set('proof', "did = 'alice'")],
  ['a proof of no key', set('proof', "signing_key = 'z'")],
  ['a cursor below zero', set('actor_cursor', 'seq = -1')],
  ['a cursor of no DID', set('actor_cursor', "did = 'alice'")],
  ['a repo that was never asked for', set('resync', 'asked = 0')],
  ['a resync of no DID', set('resync', "did = 'alice'")],
  ['a sentence for a reason', set('resync', "reason = 'It was lost'")],
  ['a PDS that was never asked', set('pds_resync', 'asked = 0')],
  ['a PDS of no DID', set('pds_resync', "did = 'alice'")],
  ['a sentence for a reason at a PDS', set('pds_resync', "reason = 'It was lost'")],
  ['an empty commit that waits', set('waiting_commit', "frame = ''")],
  ['a post without bytes', set('post', "record = ''")],
  ['a post of somebody else', set('post', "did = 'did:plc:bob', proof_rev = null")],
  ['a post under another key', set('post', "rkey = '3kabd'")],
  ['a post that is ordered by another time', set('post', 'sort_at = now()')],
  ['a post in no boundary', set('post', "boundaries = '{}'")],
  ['a post in eleven boundaries', set('post', "boundaries = array_fill('a'::text, array[11])")],
  ['a reply to no address', set('post', "reply_parent = 'http://b/c/d'")],
  [
    'a reply to an address that no index takes',
    set('post', "reply_parent = 'at://' || repeat('b', 1000)"),
  ],
  ['a reply in no thread', set('post', 'reply_root = null')],
  [
    'a quote of an address that no index takes',
    set('post', "quote = 'at://' || repeat('b', 1000)"),
  ],
  [
    'a reader in a boundary of another node',
    set('post_boundary', "boundary = 'did:web:nX3A1/art'"),
  ],
  ['a reader of a post of somebody else', set('post_boundary', "did = 'did:plc:bob'")],
  ['a boundary of another node', set('boundary', "boundary = 'did:web:nX3A1/art'")],
  ['a reference of another kind', set('post_reference', "kind = 'like'")],
  ['a reference to no address', set('post_reference', "subject = 'post'")],
  ['a stub of somebody else', set('stub', "did = 'did:plc:bob'")],
  ['a stub that names no node', set('stub', "node_did = 'node'")],
  ['a stub of no record', set('stub', "subject_cid = ''")],
  ['a tombstone of no address', set('tombstone', "uri = 'post'")],
  ['content in the quarantine', set('quarantine', "reason = 'The text was: hello'")],
  ['something in quarantine of nobody', set('quarantine', "node_did = ''")],
  ['a hold of no DID', set('hold', "did = 'alice' where uri is null")],
  ['a hold of nothing', set('hold', 'uri = null, boundary = null')],
  ['a hold of two things', set('hold', `uri = '${URI}', boundary = '${NODE}/art'`)],
  ['a hold before the first event', set('hold', 'stream_seq = 0')],
  [
    'a hold in a boundary of another node',
    set('hold', "boundary = 'did:web:nX3A1/art' where uri is null"),
  ],
  [
    'a hold of what somebody else wrote',
    set('hold', "uri = 'at://did:plc:alicex/c/d' where boundary is null"),
  ],
  ['a change of another kind', set('change', "kind = 'other'")],
  ['a change of a post that is not named', set('change', 'uri = null')],
  ['a change of a membership of nobody', set('change', "kind = 'membership', did = null")],
  ['a change of an account of nobody', set('change', "kind = 'account', did = null")],
  ['a change of no node', set('change', "kind = 'node', node_did = null")],
  ['a source before its beginning', set('sync_cursor', 'seq = -1')],
  ['an indexer without a name', set('follower', "id = ''")],
])('the database itself refuses %s', async (_, statement) => {
  const error = await client.query(statement).catch((thrown: unknown) => thrown);
  if (!(error instanceof DatabaseError)) throw new Error('the database took it');
  expect(error.code).toBe('23514');
  if (error.constraint) violated.add(error.constraint);
});

test('there is no other check', async () => {
  const { rows } = await client.query<{ name: string }>(
    "select conname as name from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace",
  );
  expect([...violated].sort()).toEqual(rows.map(({ name }) => name).sort());
});

test.each([
  [
    'a membership',
    `insert into stratos_membership (did, node_did, active, seq, signing_key, issued_at)
    values ('${ALICE}', 'did:web:x', true, 1, 'did:key:z', now())`,
  ],
  [
    'a repo',
    `insert into stratos_repo (did, node_did, rev, commit, data, updated_at)
    values ('${ALICE}', 'did:web:x', 'rev', 'commit', 'data', now())`,
  ],
  [
    'a proof',
    `insert into stratos_proof (did, node_did, rev, commit, signing_key, car)
    values ('${ALICE}', 'did:web:x', 'rev', 'commit', 'did:key:z', '\\x00')`,
  ],
  [
    'a resync',
    `insert into stratos_resync (did, node_did, reason) values ('${ALICE}', 'did:web:x', 'a')`,
  ],
  [
    'a cursor',
    `insert into stratos_actor_cursor (did, node_did, seq) values ('${ALICE}', 'did:web:x', 1)`,
  ],
  [
    'a hold',
    `insert into stratos_hold (node_did, did, stream_seq, uri) values ('did:web:x', '${ALICE}', 1, '${URI}')`,
  ],
  [
    'a tombstone',
    `insert into stratos_tombstone (uri, node_did, rev) values ('${URI}', 'did:web:x', 'rev')`,
  ],
  [
    'a boundary',
    "insert into stratos_boundary (boundary, node_did) values ('did:web:x/art', 'did:web:x')",
  ],
])('%s is of a node that is known', async (_, statement) => {
  await expect(client.query(statement)).rejects.toMatchObject({ code: '23503' });
});

test.each([
  [
    'a repo',
    `insert into stratos_repo (did, node_did, rev, commit, data, updated_at)
    values ('did:plc:bob', '${NODE}', 'rev', 'commit', 'data', now())`,
  ],
  [
    'a commit that waits',
    `insert into stratos_waiting_commit (did, node_did, stream_seq, frame)
    values ('did:plc:bob', '${NODE}', 1, '\\x00')`,
  ],
  [
    'a boundary of a member',
    `insert into stratos_membership_boundary (did, node_did, boundary)
    values ('did:plc:bob', '${NODE}', '${NODE}/art')`,
  ],
  ['a proof of a post', `update stratos_post set proof_rev = 'other'`],
  [
    'a reader',
    `insert into stratos_post_boundary (boundary, sort_at, uri, node_did, did, cid, indexed_at)
    values ('${NODE}/art', now(), '${URI}y', '${NODE}', '${ALICE}', 'cid', now())`,
  ],
  [
    'a post in a search',
    `insert into stratos_post_search (uri, boundary, node_did, sort_at, words)
    values ('${URI}', '${NODE}/other', '${NODE}', now(), '')`,
  ],
])('%s is of something that is there', async (_, statement) => {
  await expect(client.query(statement)).rejects.toMatchObject({ code: '23503' });
});

test('a proof stays as long as a post is shown by it', async () => {
  await expect(client.query('delete from stratos_proof')).rejects.toMatchObject({ code: '23001' });
});

test('a boundary has one number', async () => {
  await expect(
    client.query(
      `insert into stratos_boundary (boundary, node_did) values ('${NODE}/art', '${NODE}')`,
    ),
  ).rejects.toMatchObject({ code: '23505' });
});
