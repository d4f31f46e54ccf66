import type { Kysely } from 'kysely';
import type { AuditEntry, AuditLog } from '../service-storage.ts';
import type { ServiceTables } from './service-tables.ts';

export class SqlAuditLog implements AuditLog {
  readonly #db: Kysely<ServiceTables>;

  constructor(db: Kysely<ServiceTables>) {
    this.#db = db;
  }

  async append({ address, action, did, detail, outcome }: AuditEntry): Promise<void> {
    const time = new Date().toISOString();
    const row = { time, address, action, did: did ?? null, detail: detail ?? null, outcome };
    await this.#db.insertInto('admin_audit').values(row).execute();
  }

  async newest(limit: number): Promise<(AuditEntry & { time: string })[]> {
    const rows = await this.#db
      .selectFrom('admin_audit')
      .selectAll()
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
    return rows.map(({ time, address, action, did, detail, outcome }) => ({
      time,
      address,
      action,
      ...(did !== null && { did }),
      ...(detail !== null && { detail }),
      outcome: outcome === 'done' ? 'done' : 'refused',
    }));
  }
}
