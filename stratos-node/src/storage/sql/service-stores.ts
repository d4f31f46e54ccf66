import type { Kysely } from 'kysely';
import type { ServiceStores } from '../service-storage.ts';
import { SqlAuditLog } from './audit-log.ts';
import { SqlEnrollmentStore } from './enrollment-store.ts';
import { SqlEventLog } from './event-log.ts';
import { SqlMembershipLog } from './membership-log.ts';
import { SqlNodeKeyStore } from './node-key-store.ts';
import { SqlOAuthStore } from './oauth-store.ts';
import { SqlOutboxStore } from './outbox-store.ts';
import { SqlPublicationStore } from './publication-store.ts';
import { SqlReplayStore } from './replay-store.ts';
import type { ServiceTables } from './service-tables.ts';
import { SqlVaultStore } from './vault-store.ts';

/** Every store, on a connection or within a transaction. */
export function storesOn(db: Kysely<ServiceTables>): ServiceStores {
  return {
    enrollments: new SqlEnrollmentStore(db),
    memberships: new SqlMembershipLog(db),
    events: new SqlEventLog(db),
    publications: new SqlPublicationStore(db),
    outbox: new SqlOutboxStore(db),
    oauth: new SqlOAuthStore(db),
    replay: new SqlReplayStore(db),
    audit: new SqlAuditLog(db),
    nodeKeys: new SqlNodeKeyStore(db),
    vault: new SqlVaultStore(db),
  };
}
