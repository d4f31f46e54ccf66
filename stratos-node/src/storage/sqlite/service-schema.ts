import type { Boundary, Cid, Did, DidKey } from '@stratos/protocol';
import type { Generated } from 'kysely';
import type { Migration } from './migrate.ts';

/** Tables of the service database. */
export interface ServiceTables {
  enrollment: {
    did: Did;
    enrolledAt: string;
    pdsEndpoint: string | null;
    signingKeyDid: DidKey;
    active: 'true' | 'false';
    enrollmentRkey: string | null;
  };
  enrollment_boundary: { did: Did; boundary: Boundary };
  membership_log: { seq: number; did: Did; cid: Cid; entry: Uint8Array; issuedAt: string };
  service_seq: {
    seq: Generated<number>;
    did: Did;
    kind: 'commit' | 'membership';
    /** Position in the actor's own log, or in the membership log. */
    ref: number;
    time: string;
  };
  actor_publication: { did: Did; publishedSeq: number; dirty: number };
  outbox: {
    id: Generated<number>;
    did: Did;
    job: string;
    attempts: number;
    /** Milliseconds since the epoch. */
    dueAt: number;
    parkedReason: string | null;
    createdAt: string;
  };
  oauth_state: { key: string; state: string; createdAt: string };
  oauth_session: { key: string; session: string; createdAt: string; updatedAt: string };
  replay: { id: string; expiresAt: number };
  admin_audit: {
    id: Generated<number>;
    time: string;
    address: string;
    action: string;
    did: string | null;
    detail: string | null;
    outcome: string;
  };
}

export const serviceMigrations: readonly Migration[] = [
  [
    `CREATE TABLE enrollment (
      did TEXT PRIMARY KEY, enrolledAt TEXT NOT NULL, pdsEndpoint TEXT, signingKeyDid TEXT NOT NULL,
      active TEXT NOT NULL DEFAULT 'true', enrollmentRkey TEXT)`,
    `CREATE TABLE enrollment_boundary (
      did TEXT NOT NULL, boundary TEXT NOT NULL, PRIMARY KEY (did, boundary))`,
    `CREATE TABLE membership_log (
      seq INTEGER PRIMARY KEY, did TEXT NOT NULL, cid TEXT NOT NULL, entry BLOB NOT NULL,
      issuedAt TEXT NOT NULL)`,
    'CREATE INDEX membership_log_did ON membership_log (did, seq)',
    `CREATE TABLE service_seq (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, did TEXT NOT NULL, kind TEXT NOT NULL,
      ref INTEGER NOT NULL, time TEXT NOT NULL, UNIQUE (kind, did, ref))`,
    `CREATE TABLE actor_publication (
      did TEXT PRIMARY KEY, publishedSeq INTEGER NOT NULL, dirty INTEGER NOT NULL)`,
    'CREATE INDEX actor_publication_dirty ON actor_publication (did) WHERE dirty = 1',
    `CREATE TABLE outbox (
      id INTEGER PRIMARY KEY AUTOINCREMENT, did TEXT NOT NULL, job TEXT NOT NULL,
      attempts INTEGER NOT NULL, dueAt INTEGER NOT NULL, parkedReason TEXT, createdAt TEXT NOT NULL)`,
    'CREATE INDEX outbox_did ON outbox (did, id)',
    'CREATE TABLE oauth_state (key TEXT PRIMARY KEY, state TEXT NOT NULL, createdAt TEXT NOT NULL)',
    `CREATE TABLE oauth_session (
      key TEXT PRIMARY KEY, session TEXT NOT NULL, createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL)`,
    'CREATE TABLE replay (id TEXT PRIMARY KEY, expiresAt INTEGER NOT NULL)',
    'CREATE INDEX replay_expiry ON replay (expiresAt)',
    `CREATE TABLE admin_audit (
      id INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, address TEXT NOT NULL,
      action TEXT NOT NULL, did TEXT, detail TEXT, outcome TEXT NOT NULL)`,
  ],
];
