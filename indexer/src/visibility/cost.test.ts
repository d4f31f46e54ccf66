import { setTimeout as sleep } from 'node:timers/promises';
import { toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inTransaction } from '../database.ts';
import { Author, create } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { showPosts } from './readers.ts';

const OLD_POSTS = 5_000;
/** After so long a server process has told what it counted. */
const FLUSH_MS = 1_100;

let world: World;
let rei: Author;

beforeEach(async () => {
  world = await World.create();
  rei = await Author.create(toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'));
  await world.enroll(rei);
  await world.apply(await world.node.membership(rei, ['art']));
  await world.apply(world.node.commit(await rei.post('3kaaa', [world.node.boundary('art')])));
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

interface Work {
  read: number;
  written: number;
}

/** What all server processes have done so far with posts and their readers, in rows. */
async function work(): Promise<Work> {
  const [row] = await world.db.$queryRaw<Work[]>`
    select coalesce(sum(n_tup_ins + n_tup_del), 0)::int as written,
      (coalesce(sum(seq_tup_read), 0) + (
        select coalesce(sum(idx_tup_read), 0) from pg_stat_user_indexes
        where relname in ('stratos_post', 'stratos_post_boundary')
      ))::int as read
    from pg_stat_user_tables where relname in ('stratos_post', 'stratos_post_boundary')`;
  return row ?? { read: 0, written: 0 };
}

/** How many rows something reads that writes others. */
async function rowsRead(act: () => Promise<unknown>): Promise<number> {
  await sleep(FLUSH_MS);
  await world.db.$executeRaw`select pg_stat_force_next_flush()`;
  const before = await work();
  await act();
  for (;;) {
    await sleep(FLUSH_MS);
    const after = await work();
    if (after.written > before.written) return after.read - before.read;
  }
}

/** Posts of the same person, which are not to be read yet. */
async function writePosts(count: number): Promise<void> {
  await world.db.$executeRaw`
    insert into stratos_post (uri, node_did, cid, did, rkey, rev, record, text, langs, tags, labels,
      created_at, indexed_at, sort_at, boundaries, proof_rev)
    select uri || i, node_did, cid, did, rkey || i, rev, record, text, langs, tags, labels, created_at,
      indexed_at, sort_at, boundaries, proof_rev
    from stratos_post cross join generate_series(1, ${count}) as i`;
}

test('a post is shown without reading what its author wrote before', async () => {
  const { db, node } = world;
  await writePosts(OLD_POSTS);
  await db.$executeRaw`
    insert into stratos_post_boundary (boundary, sort_at, uri, node_did, did, cid, indexed_at)
    select boundaries[1], sort_at, uri, node_did, did, cid, indexed_at from stratos_post
    on conflict do nothing`;
  const boundary = node.boundary('art');
  const write = async () =>
    world.apply(node.commit(await rei.commit([create('3kbbb', [boundary])])));
  expect(await rowsRead(write)).toBeLessThan(OLD_POSTS / 10);
});

test('many posts are shown without reading all of a node that Postgres has not counted yet', async () => {
  const { db, node } = world;
  await db.$executeRaw`alter table stratos_post set (autovacuum_enabled = false)`;
  await writePosts(20 * OLD_POSTS);
  const uris = Array.from({ length: 1_000 }, (_, i) => `${rei.uri('3kaaa')}${i + 1}`);
  const show = () =>
    inTransaction(db, (tx) => showPosts(tx, { nodeDid: node.did, dids: [rei.did], uris }));
  expect(await rowsRead(show)).toBeLessThan(20 * uris.length);
});
