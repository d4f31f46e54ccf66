import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AEKEA, NODE_DID, SWORDSMITH, TestPerson } from '../../testing/test-node.ts';
import type { ActorTables } from '../sql/actor-tables.ts';
import { recordPageQuery } from '../sql/record-page.ts';
import { actorMigrations } from './actor-schema.ts';
import { openDatabase } from './database.ts';
import { recordPageSql } from './record-page.ts';

const { did } = TestPerson.named('rei');
const collection = zone.stratos.feed.post.$nsid;

let folder: string;
let connection: Awaited<ReturnType<typeof openDatabase<ActorTables>>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stratos-'));
  connection = await openDatabase(join(folder, 'x.sqlite'), actorMigrations(NODE_DID));
});
afterAll(async () => {
  await connection.close();
  await rm(folder, { recursive: true });
});

/** How SQLite reads the tables, whatever the parameters are. */
function tablesRead(query: string): string[] {
  const statement = connection.prepare<{ detail: string }>(`EXPLAIN QUERY PLAN ${query}`);
  const parameters = Array(query.split('?').length - 1).fill(null);
  const steps = statement.all(...parameters).map(({ detail }) => detail);
  return steps.filter((detail) => / (record|named|listed|block) /.test(detail));
}

it.each([
  ['all records', undefined],
  ['those of one boundary', [SWORDSMITH]],
  ['those of several', [SWORDSMITH, AEKEA]],
])('asks for %s without reading any that are not shown', async (_, boundaries) => {
  for (const descending of [true, false]) {
    for (const after of [undefined, '3l7777777772a']) {
      const page = { collection, limit: 10, after, descending, boundaries };
      const { sql } = recordPageQuery(connection.db, did, page).compile();
      const tables = tablesRead(recordPageSql(page));
      expect(tables).toEqual(tablesRead(sql));
      const range = 'uri>? AND uri<?';
      expect(tables).toEqual([
        expect.stringMatching(
          boundaries ? /^SEARCH record .*\(uri=\?\)/ : /^SEARCH record .*\(uri>/,
        ),
        ...(boundaries ?? []).flatMap(() => [
          `SEARCH named USING PRIMARY KEY (boundary=? AND ${range})`,
          expect.stringMatching(/^SEARCH listed .*\(uri=\?\)/),
        ]),
        expect.stringMatching(/^SEARCH block .*\(cid=\?\)/),
      ]);
    }
  }
});
