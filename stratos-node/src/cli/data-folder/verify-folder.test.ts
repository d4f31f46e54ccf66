import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zone } from '@stratos/protocol/lexicons';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runRetention } from '../../retention/run-retention.ts';
import { actorDatabasePath } from '../../storage/sqlite/actor-storage.ts';
import { picture, pictureRecord, upload } from '../../testing/test-blobs.ts';
import { AEKEA, postRecord, SWORDSMITH, TestNode, TestPerson } from '../../testing/test-node.ts';
import { verifyFolder } from './verify-folder.ts';

// @NOTE with Postgres there are no databases in a data folder
const isSqlite = process.env['STRATOS_TEST_STORAGE'] !== 'postgres';
const it = test.runIf(isSqlite);

const rei = TestPerson.named('rei');
const keys = ['a', 'b', 'c', 'd'].map((letter) => `3jzfcijpj2z2${letter}`);
const [first, second, third] = keys;
const further = '3jzfcijpj2z2e';
const quiet = { onStart() {}, onActor() {} };

let dataDir: string;
beforeEach(async () => {
  if (!isSqlite) return;
  dataDir = await mkdtemp(join(tmpdir(), 'stratos-verify-'));
  await using node = await TestNode.start({ people: [rei], dataDir });
  await node.enroll(rei, [SWORDSMITH]);
  for (const rkey of keys) await node.createPost(rei, postRecord(rkey), { rkey });
  await node.deletePost(rei, `at://${rei.did}/${zone.stratos.feed.post.$nsid}/${first}`);
});
afterEach(async () => {
  if (isSqlite) await rm(dataDir, { recursive: true });
});

function change(path: string, sql: string): void {
  const database = new SqliteDatabase(path);
  database.exec(sql);
  database.close();
}

it('finds nothing wrong where nothing is', async () => {
  expect(await verifyFolder(dataDir, quiet)).toEqual({ repos: 1, records: 3, damage: [] });
});

it('finds nothing wrong after takedowns, rotation, retention, and people who left', async () => {
  const sakura = TestPerson.named('sakura');
  const kaoruko = TestPerson.named('kaoruko');
  {
    await using node = await TestNode.start({ people: [rei, sakura, kaoruko], dataDir });
    const uri = `at://${rei.did}/${zone.stratos.feed.post.$nsid}/${second}`;
    const { takedown, unenroll, rotateSigningKey } = zone.stratos.admin;
    expect((await node.operator(takedown.$nsid, { uri })).status).toBe(200);
    expect((await node.operator(rotateSigningKey.$nsid, {})).status).toBe(200);
    await node.enroll(sakura, [SWORDSMITH]);
    await node.enroll(kaoruko, [SWORDSMITH]);
    expect((await node.operator(takedown.$nsid, { did: kaoruko.did })).status).toBe(200);
    await node.createPost(sakura, postRecord('words'));
    expect((await node.operator(unenroll.$nsid, { did: sakura.did })).status).toBe(200);
    const later = new Date(Date.now() + 365 * 24 * 60 * 60 * 1000);
    while (await runRetention(node.ctx, later));
    await node.createPost(rei, postRecord('after that'));
  }
  expect(await verifyFolder(dataDir, quiet)).toEqual({ repos: 3, records: 4, damage: [] });
});

const RECORD_BLOCKS = 'SELECT cid FROM stratos_record';

it.each([
  [
    /^block \w+ is not what its CID says$/,
    `UPDATE stratos_repo_block SET content = x'a0' WHERE cid IN (${RECORD_BLOCKS} LIMIT 1)`,
  ],
  [/has no content$/, `DELETE FROM stratos_repo_block WHERE cid IN (${RECORD_BLOCKS} LIMIT 1)`],
  [
    /^the newest commit is missing$/,
    'DELETE FROM stratos_newest_block WHERE cid IN (SELECT cid FROM stratos_repo_root)',
  ],
  [
    /^the tree cannot be read to its end$/,
    'DELETE FROM stratos_newest_block WHERE cid NOT IN (SELECT cid FROM stratos_repo_root)',
  ],
  [/has no row that says the same$/, `DELETE FROM stratos_record WHERE rkey = '${third}'`],
  [
    /z2e is not in the tree$/,
    `INSERT INTO stratos_record (uri, cid, collection, rkey, repoRev, indexedAt) SELECT replace(uri, '${third}', '${further}'), cid, collection, '${further}', repoRev, indexedAt FROM stratos_record WHERE rkey = '${third}'`,
  ],
  [
    /has no row that says the same$/,
    `UPDATE stratos_record SET cid = (SELECT cid FROM stratos_record WHERE rkey = '${second}') WHERE rkey = '${third}'`,
  ],
  [
    /^1 blocks belong to nothing$/,
    "INSERT INTO stratos_repo_block VALUES ('bafyreigaknpexyvxt76zgkitavbwx6ejgfheup5oybpm77f3pxzrvwpfdi', 'x', 1, x'a0')",
  ],
  [
    /is not listed under the boundaries that it names$/,
    `UPDATE stratos_record_boundary SET boundary = '${AEKEA}'`,
  ],
  [/is not listed under the boundaries that it names$/, `DELETE FROM stratos_record_boundary`],
  [/^the log has a gap before 4$/, 'DELETE FROM stratos_seq WHERE seq = 3'],
  [/^commit 4 of the log does not follow/, 'DELETE FROM stratos_seq WHERE seq = 3'],
  [
    /^the newest commit of the log is not that of the repo$/,
    'DELETE FROM stratos_seq WHERE seq = (SELECT max(seq) FROM stratos_seq)',
  ],
  [/^the newest commit is of another repo$/, "UPDATE stratos_repo_root SET rev = '3jzfcijpj2z2a'"],
  [
    /^the stream is at \d of a log that ends at 2$/,
    "UPDATE sqlite_sequence SET seq = 2 WHERE name = 'stratos_seq'",
  ],
])('finds in a repo: %s', async (what, sql) => {
  change(actorDatabasePath(dataDir, rei.did), sql);
  const { damage } = await verifyFolder(dataDir, quiet);
  expect(damage.filter(({ subject }) => subject === rei.did).map((found) => found.what)).toEqual(
    expect.arrayContaining([expect.stringMatching(what)]),
  );
});

it.each([
  [
    rei.did,
    /^the newest commit is not signed by its person$/,
    "UPDATE enrollment SET signingKeyDid = 'did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169'",
  ],
  [
    rei.did,
    /^commits 5 to 6 are not published/,
    'UPDATE actor_publication SET publishedSeq = 4, dirty = 0',
  ],
  [
    'service.sqlite',
    /^the membership log does not hold/,
    "UPDATE membership_log SET entry = x'a0' WHERE seq = 1",
  ],
  [
    'service.sqlite',
    /^the membership of did:plc:\w+ is not what the log says$/,
    "INSERT INTO enrollment_boundary VALUES ((SELECT did FROM enrollment), 'did:web:localhost%3A3100/aekea')",
  ],
  [
    'did:plc:nobody',
    /^is enrolled, and there is no repo$/,
    "INSERT INTO enrollment (did, enrolledAt, signingKeyDid) VALUES ('did:plc:nobody', '', 'did:key:z')",
  ],
])('finds about %s: %s', async (subject, what, sql) => {
  change(join(dataDir, 'service.sqlite'), sql);
  const { damage } = await verifyFolder(dataDir, quiet);
  expect(damage).toContainEqual({ subject, what: expect.stringMatching(what) });
});

it('finds blobs that are missing, or are another', async () => {
  let path: string;
  {
    await using node = await TestNode.start({ people: [rei], dataDir });
    const blob = await upload(node, rei, picture('a'));
    await node.createPost(rei, pictureRecord(blob));
    path = join(dataDir, 'blobs', rei.did, blob.ref.$link);
  }
  expect((await verifyFolder(dataDir, quiet)).damage).toEqual([]);
  await writeFile(path, 'another');
  const other = await verifyFolder(dataDir, quiet);
  expect(other.damage).toEqual([
    { subject: rei.did, what: expect.stringMatching(/^blob \w+ is not what its CID says$/) },
  ]);
  await rm(path);
  const { damage } = await verifyFolder(dataDir, quiet);
  expect(damage).toEqual([
    { subject: rei.did, what: expect.stringMatching(/^blob \w+ is missing$/) },
  ]);
});

it('finds a database that is no database', async () => {
  const path = actorDatabasePath(dataDir, rei.did);
  await writeFile(path, 'x'.repeat(10_000));
  const { damage } = await verifyFolder(dataDir, quiet);
  expect(damage).toEqual([{ subject: rei.did, what: expect.stringMatching(/^cannot be read/) }]);
});
