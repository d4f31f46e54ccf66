import type { Kysely } from 'kysely';
import type { EventLog, LogEvent } from '../service-storage.ts';
import { SqlEventLog } from '../sql/event-log.ts';
import type { PostgresServiceTables } from './service-tables.ts';

type InTurn = (task: (events: EventLog) => Promise<void>) => Promise<void>;

/** The order of events outside of a transaction: what is appended waits for its turn. */
export class PostgresEventLog extends SqlEventLog {
  readonly #inTurn: InTurn;

  constructor(db: Kysely<PostgresServiceTables>, inTurn: InTurn) {
    super(db as never);
    this.#inTurn = inTurn;
  }

  override async append(event: Omit<LogEvent, 'seq'>): Promise<void> {
    await this.#inTurn((events) => events.append(event));
  }
}
