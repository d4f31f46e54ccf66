import type { AuditLog } from './sqlite/audit-log.ts';
import type { EnrollmentStore } from './sqlite/enrollment-store.ts';
import type { EventLog } from './sqlite/event-log.ts';
import type { MembershipLog } from './sqlite/membership-log.ts';
import type { OAuthStore } from './sqlite/oauth-store.ts';
import type { OutboxStore } from './sqlite/outbox-store.ts';
import type { PublicationStore } from './sqlite/publication-store.ts';
import type { SqliteReplayStore } from './sqlite/replay-store.ts';

/** What the node keeps beside the repos. */
export interface ServiceStores {
  readonly enrollments: EnrollmentStore;
  readonly memberships: MembershipLog;
  readonly events: EventLog;
  readonly publications: PublicationStore;
  readonly outbox: OutboxStore;
  readonly oauth: OAuthStore;
  readonly replay: SqliteReplayStore;
  readonly audit: AuditLog;
}

/** The service database. Outside of {@link ServiceStorage.transact} each call stands alone. */
export interface ServiceStorage extends ServiceStores, AsyncDisposable {
  /** Runs `task` in one transaction; it must use the stores that it is given, and no others. */
  transact<T>(task: (stores: ServiceStores) => Promise<T>): Promise<T>;
}
