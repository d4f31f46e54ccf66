import type { Did } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type { ServiceTables } from './service-schema.ts';

/** One position of the node's stream, pointing to what happened. */
export interface LogEvent {
  seq: number;
  did: Did;
  kind: 'commit' | 'membership';
  /** Position in the actor's own log, or in the membership log. */
  ref: number;
  time: string;
}

/** The order of everything that happened on the node. */
export class EventLog {
  readonly #db: Kysely<ServiceTables>;

  constructor(db: Kysely<ServiceTables>) {
    this.#db = db;
  }

  /** Newest position, 0 while the log is empty. */
  async head(): Promise<number> {
    const row = await this.#db
      .selectFrom('service_seq')
      .select('seq')
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row?.seq ?? 0;
  }

  /** Appends unless this very event is there already. */
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
