import { join } from 'node:path';
import type { Kysely } from 'kysely';
import type { ServiceStorage, ServiceStores } from '../service-storage.ts';
import { AuditLog } from './audit-log.ts';
import { openDatabase } from './database.ts';
import { EnrollmentStore } from './enrollment-store.ts';
import { EventLog } from './event-log.ts';
import { MembershipLog } from './membership-log.ts';
import { OAuthStore } from './oauth-store.ts';
import { OutboxStore } from './outbox-store.ts';
import { PublicationStore } from './publication-store.ts';
import { SqliteReplayStore } from './replay-store.ts';
import { type ServiceTables, serviceMigrations } from './service-schema.ts';

/** Opens `{dataDir}/service.sqlite`. */
export async function openServiceStorage(dataDir: string): Promise<ServiceStorage> {
  const db = await openDatabase<ServiceTables>(join(dataDir, 'service.sqlite'), serviceMigrations);
  return {
    ...storesOn(db),
    transact: (task) => db.transaction().execute((tx) => task(storesOn(tx))),
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}

function storesOn(db: Kysely<ServiceTables>): ServiceStores {
  return {
    enrollments: new EnrollmentStore(db),
    memberships: new MembershipLog(db),
    events: new EventLog(db),
    publications: new PublicationStore(db),
    outbox: new OutboxStore(db),
    oauth: new OAuthStore(db),
    replay: new SqliteReplayStore(db),
    audit: new AuditLog(db),
  };
}
