import type { AtUri, Boundary, Cid, Did, Tid } from '@stratos/protocol';
import type { Generated } from 'kysely';
import { fillRecordBoundaries } from './fill-record-boundaries.ts';
import type { Migration } from './migrate.ts';

/** Tables of one actor's database. */
export interface ActorTables {
  stratos_repo_root: { did: Did; cid: Cid; rev: Tid; indexedAt: string };
  stratos_repo_block: { cid: Cid; repoRev: Tid; size: number; content: Uint8Array };
  stratos_record: {
    uri: AtUri;
    cid: Cid;
    collection: string;
    rkey: string;
    repoRev: Tid;
    indexedAt: string;
    takedownRef: string | null;
  };
  stratos_record_boundary: { boundary: Boundary; uri: AtUri };
  stratos_seq: {
    seq: Generated<number>;
    did: Did;
    time: string;
    rev: Tid;
    /** JSON of the commit event, without record content. */
    event: string;
    proof: Uint8Array;
  };
  stratos_signing_key: { did: Did; key: Uint8Array };
}

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
];
