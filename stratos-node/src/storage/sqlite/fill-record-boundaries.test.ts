import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRecord, toAtUri } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { AEKEA, NODE_DID, postRecord, SWORDSMITH, TestPerson } from '../../testing/test-node.ts';
import type { ActorTables } from '../sql/actor-tables.ts';
import { actorMigrations } from './actor-schema.ts';
import { openDatabase } from './database.ts';

const { did } = TestPerson.named('rei');
const collection = zone.stratos.feed.post.$nsid;

it('brings a database from before it to the newest version, and what waits in its log', async () => {
  await using cleanup = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'stratos-'));
  cleanup.defer(() => rm(folder, { recursive: true }));
  const path = join(folder, 'stratos.sqlite');
  const migrations = actorMigrations(NODE_DID);
  const before = await openDatabase<ActorTables>(path, migrations.slice(0, 1));
  const damaged = { ...postRecord('damaged'), boundary: 'none' };
  const bare = postRecord('bare', ['swordsmith']);
  const records = [postRecord('both', [SWORDSMITH, AEKEA]), damaged, bare];
  for (let i = 0; i < 1200; i += 1) records.push(postRecord(`${i}`));
  await before.db.transaction().execute(async (tx) => {
    for (const [i, record] of records.entries()) {
      const { cid, bytes } = await encodeRecord(record as never);
      const rkey = `${i}`.padStart(5, '0');
      const uri = toAtUri(`at://${did}/${collection}/${rkey}`);
      const row = { uri, cid, collection, rkey, repoRev: '', indexedAt: '', takedownRef: null };
      const block = { cid, repoRev: '', size: bytes.length, content: bytes };
      await tx
        .insertInto('stratos_record')
        .values(row as never)
        .execute();
      await tx
        .insertInto('stratos_repo_block')
        .values(block as never)
        .execute();
    }
    const stub = { action: 'delete', collection, rkey: '1' };
    await sql`INSERT INTO stratos_seq (did, time, rev, event, proof) VALUES
      (${did}, '', 'a', ${JSON.stringify({ ops: [], stub })}, x''),
      (${did}, '', 'b', ${JSON.stringify({ ops: [] })}, x'')`.execute(tx);
  });
  await before.close();

  const connection = await openDatabase<ActorTables>(path, migrations);
  cleanup.defer(() => connection.close());
  const { db } = connection;
  const rows = await db.selectFrom('stratos_record_boundary').selectAll().orderBy('uri').execute();
  const named = rows.map(({ uri, boundary }) => `${uri.slice(-5)} ${boundary}`);
  expect(rows).toHaveLength(2 + 0 + 1 + 1200);
  expect(named.slice(0, 4)).toEqual([
    `00000 ${AEKEA}`,
    `00000 ${SWORDSMITH}`,
    `00002 ${SWORDSMITH}`,
    `00003 ${SWORDSMITH}`,
  ]);
  const events = await db.selectFrom('stratos_seq').select('event').orderBy('seq').execute();
  expect(events.map(({ event }) => JSON.parse(event))).toEqual([
    { ops: [], stubs: [{ action: 'delete', collection, rkey: '1' }] },
    { ops: [] },
  ]);
});
