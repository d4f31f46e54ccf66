import type { Kysely } from 'kysely';
import type { EventLog, LogEvent } from '../service-storage.ts';
import type { ServiceTables } from './service-tables.ts';

export class SqlEventLog implements EventLog {
  readonly #db: Kysely<ServiceTables>;

  constructor(db: Kysely<ServiceTables>) {
    this.#db = db;
  }

  async head(): Promise<number> {
    const row = await this.#db
      .selectFrom('service_seq')
      .select('seq')
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row?.seq ?? 0;
  }

  async append(event: Omit<LogEvent, 'seq'>): Promise<void> {
    await this.#db
      .insertInto('service_seq')
      .values(event)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  async after(seq: number, limit: number): Promise<LogEvent[]> {
    return this.#db
      .selectFrom('service_seq')
      .selectAll()
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(limit)
      .execute();
  }
}
