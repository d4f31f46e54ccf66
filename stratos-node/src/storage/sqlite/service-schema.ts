import type { Migration } from '../sql/migrate.ts';

/** The schema of the service database. */
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
  [
    'CREATE INDEX service_seq_time ON service_seq (time)',
    `CREATE TABLE service_seq_floor (
      stream TEXT PRIMARY KEY, seq INTEGER NOT NULL)`,
    'ALTER TABLE enrollment ADD COLUMN takedownRef TEXT',
    'ALTER TABLE enrollment ADD COLUMN leftAt TEXT',
    `CREATE TABLE node_key (
      key TEXT PRIMARY KEY, validFrom TEXT NOT NULL, validUntil TEXT, membershipSeq INTEGER NOT NULL,
      sig BLOB)`,
  ],
  [
    'ALTER TABLE node_key ADD COLUMN secret BLOB',
    'ALTER TABLE node_key ADD COLUMN republishAfter TEXT',
    'CREATE UNIQUE INDEX node_key_in_use ON node_key (validUntil IS NULL) WHERE validUntil IS NULL',
    `CREATE TABLE key_vault (
      id INTEGER PRIMARY KEY, salt BLOB NOT NULL, canary BLOB NOT NULL, sealedAt TEXT)`,
  ],
  // @NOTE each write would change it, and nothing reads by it
  ['DROP INDEX IF EXISTS service_seq_time'],
];
