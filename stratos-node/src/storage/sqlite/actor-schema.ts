import type { Did } from '@stratos/protocol';
import type { Migration } from '../sql/migrate.ts';
import { fillRecordBoundaries } from './fill-record-boundaries.ts';

/** The schema of an actor's database at the node `nodeDid`. */
export const actorMigrations = (nodeDid: Did): readonly Migration[] => [
  [
    `CREATE TABLE stratos_repo_root (
      did TEXT PRIMARY KEY, cid TEXT NOT NULL, rev TEXT NOT NULL, indexedAt TEXT NOT NULL)`,
    `CREATE TABLE stratos_repo_block (
      cid TEXT PRIMARY KEY, repoRev TEXT NOT NULL, size INTEGER NOT NULL, content BLOB NOT NULL)`,
    'CREATE INDEX stratos_repo_block_rev ON stratos_repo_block (repoRev, cid)',
    `CREATE TABLE stratos_record (
      uri TEXT PRIMARY KEY, cid TEXT NOT NULL, collection TEXT NOT NULL, rkey TEXT NOT NULL,
      repoRev TEXT, indexedAt TEXT NOT NULL, takedownRef TEXT)`,
    'CREATE INDEX stratos_record_cid ON stratos_record (cid)',
    'CREATE INDEX stratos_record_key ON stratos_record (collection, rkey)',
    `CREATE TABLE stratos_seq (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, did TEXT NOT NULL, time TEXT NOT NULL,
      rev TEXT NOT NULL UNIQUE, event TEXT NOT NULL, proof BLOB NOT NULL)`,
    'CREATE TABLE stratos_signing_key (did TEXT PRIMARY KEY, key BLOB NOT NULL)',
  ],
  [
    `CREATE TABLE stratos_record_boundary (
      boundary TEXT NOT NULL, uri TEXT NOT NULL, PRIMARY KEY (boundary, uri)) WITHOUT ROWID`,
    'CREATE INDEX stratos_record_boundary_uri ON stratos_record_boundary (uri)',
    (tx) => fillRecordBoundaries(tx, nodeDid),
    `UPDATE stratos_seq SET event = json_remove(
      json_set(event, '$.stubs', json_array(json_extract(event, '$.stub'))), '$.stub')
      WHERE json_type(event, '$.stub') = 'object'`,
  ],
  [
    `CREATE TABLE stratos_blob (
      cid TEXT PRIMARY KEY, mimeType TEXT NOT NULL, size INTEGER NOT NULL, tempKey TEXT,
      createdAt TEXT NOT NULL, takedownRef TEXT)`,
    'CREATE INDEX stratos_blob_temp ON stratos_blob (createdAt) WHERE tempKey IS NOT NULL',
    `CREATE TABLE stratos_record_blob (
      blobCid TEXT NOT NULL, recordUri TEXT NOT NULL, PRIMARY KEY (blobCid, recordUri)) WITHOUT ROWID`,
    'CREATE INDEX stratos_record_blob_record ON stratos_record_blob (recordUri)',
    'CREATE INDEX stratos_seq_time ON stratos_seq (time)',
    'CREATE TABLE stratos_seq_floor (did TEXT PRIMARY KEY, seq INTEGER NOT NULL)',
  ],
  ['CREATE TABLE stratos_taken_down (uri TEXT PRIMARY KEY, content BLOB NOT NULL)'],
  // @NOTE each write would change them, and nothing reads by them
  ['DROP INDEX IF EXISTS stratos_record_key', 'DROP INDEX IF EXISTS stratos_seq_time'],
  // @NOTE the newest commit and its nodes: the next one replaces most of them, and among all blocks,
  // in the order of CIDs, each would be on a page of its own. They are too few to need an index.
  [
    `CREATE TABLE stratos_newest_block (
      cid TEXT NOT NULL, repoRev TEXT NOT NULL, content BLOB NOT NULL)`,
    `CREATE VIEW stratos_block AS SELECT cid, repoRev, content FROM stratos_repo_block
      UNION ALL SELECT cid, repoRev, content FROM stratos_newest_block`,
  ],
];
