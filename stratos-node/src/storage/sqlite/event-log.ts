import type { Kysely } from 'kysely';
import type { LogEvent } from '../service-storage.ts';
import { SqlEventLog } from '../sql/event-log.ts';
import type { ServiceTables } from '../sql/service-tables.ts';
import type { DurableHead } from './durable-head.ts';
import type { Turns } from './turns.ts';

const AFTER = `SELECT seq, did, kind, ref, time FROM service_seq
  WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`;
export const APPEND =
  'INSERT INTO service_seq (did, kind, ref, time) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING';

/** The order of events, of which it shows those that are on disk. */
export class SqliteEventLog extends SqlEventLog {
  readonly #turns: Turns;
  readonly #durable: DurableHead;

  constructor(db: Kysely<ServiceTables>, turns: Turns, durable: DurableHead) {
    super(db);
    this.#turns = turns;
    this.#durable = durable;
  }

  override async head(): Promise<number> {
    return this.#durable.seq;
  }

  override async append({ did, kind, ref, time }: Omit<LogEvent, 'seq'>): Promise<void> {
    await this.#turns.write(() => this.#turns.prepare(APPEND).run(did, kind, ref, time));
  }

  override async after(seq: number, limit: number): Promise<LogEvent[]> {
    const { prepare } = this.#turns;
    return this.#turns.read(() => prepare<LogEvent>(AFTER).all(seq, this.#durable.seq, limit));
  }
}
