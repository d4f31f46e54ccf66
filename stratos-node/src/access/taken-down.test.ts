import { com, zone } from '@stratos/protocol/lexicons';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { actorDatabasePath } from '../storage/sqlite/actor-storage.ts';
import {
  AEKEA,
  isOnPostgres,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';

const collection = zone.stratos.feed.post.$nsid;
const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');
const kaoruko = TestPerson.named('kaoruko');
const rkey = '3l7777777772a';

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start({ people: [rei, sakura, kaoruko] });
  await node.enroll(rei, [SWORDSMITH]);
  await node.enroll(sakura, [SWORDSMITH]);
  await node.enroll(kaoruko, [AEKEA]);
  await node.createPost(rei, postRecord('the post'), { rkey });
});
afterEach(() => node[Symbol.asyncDispose]());

function inDatabaseOfRei(statement: string, ...values: string[]): void {
  const database = new SqliteDatabase(actorDatabasePath(node.ctx.config.dataDir, rei.did));
  database.prepare(statement).run(...values);
  database.close();
}

async function listed(viewer: TestPerson): Promise<unknown[]> {
  const params = { repo: rei.did, collection };
  const response = await node.query(viewer, com.atproto.repo.listRecords.$nsid, params);
  return (await response.json()).records;
}

async function wrote(action: string, text: string): Promise<number> {
  const write = { action, collection, rkey, record: postRecord(text) };
  return (await node.applyWrites(rei, [write])).status;
}

it.skipIf(isOnPostgres)(
  'shows nobody a record that was taken down, and lets it be deleted alone',
  async () => {
    expect([await listed(rei), await listed(sakura)].map(({ length }) => length)).toEqual([1, 1]);
    const uri = `at://${rei.did}/${collection}/${rkey}`;
    expect((await node.operator(zone.stratos.admin.takedown.$nsid, { uri })).status).toBe(200);
    expect([await listed(rei), await listed(sakura)]).toEqual([[], []]);
    const { collections } = await (
      await node.query(rei, com.atproto.repo.describeRepo.$nsid, { repo: rei.did })
    ).json();
    expect(collections).toEqual([]);
    expect(await wrote('update', 'another')).toBe(400);
    expect(await wrote('create', 'another')).toBe(400);
    expect((await node.deletePost(rei, uri)).status).toBe(200);
    expect(await wrote('create', 'another')).toBe(200);
  },
);

it.skipIf(isOnPostgres)('believes the record, not what is noted beside it', async () => {
  const uri = `at://${rei.did}/${collection}/${rkey}`;
  inDatabaseOfRei('INSERT INTO stratos_record_boundary (boundary, uri) VALUES (?, ?)', AEKEA, uri);
  expect(await listed(kaoruko)).toEqual([]);
});
