import type { Did } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type { EventLog, LogEvent } from '../service-storage.ts';
import type { ServiceTables } from './service-tables.ts';

/** The one stream of a node, among the floors. */
const STREAM = 'service';

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
    return Math.max(row?.seq ?? 0, await this.floor());
  }

  async floor(): Promise<number> {
    const row = await this.#db
      .selectFrom('service_seq_floor')
      .select('seq')
      .where('stream', '=', STREAM)
      .executeTakeFirst();
    return row?.seq ?? 0;
  }

  async raiseFloor(seq: number): Promise<void> {
    await this.#db
      .insertInto('service_seq_floor')
      .values({ stream: STREAM, seq })
      .onConflict((conflict) =>
        conflict.column('stream').doUpdateSet({ seq }).where('service_seq_floor.seq', '<', seq),
      )
      .execute();
  }

  async deleteBelowFloor(): Promise<void> {
    await this.#db
      .deleteFrom('service_seq')
      .where('seq', '<=', await this.floor())
      .execute();
  }

  async deleteCommitsOf(did: Did): Promise<void> {
    await this.#db
      .deleteFrom('service_seq')
      .where('kind', '=', 'commit')
      .where('did', '=', did)
      .execute();
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
