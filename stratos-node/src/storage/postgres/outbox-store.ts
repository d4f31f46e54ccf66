import type { Did } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import { SqlOutboxStore } from '../sql/outbox-store.ts';
import type { PostgresServiceTables } from './service-tables.ts';
import type { PostgresSession } from './session.ts';

/** The outbox of several processes, each of which does the jobs of the people that it claimed. */
export class PostgresOutboxStore extends SqlOutboxStore {
  readonly #session: PostgresSession;

  constructor(db: Kysely<PostgresServiceTables>, session: PostgresSession) {
    super(db as never);
    this.#session = session;
  }

  override async claim(did: Did): Promise<AsyncDisposable | undefined> {
    return this.#session.tryLock(`outbox:${did}`);
  }
}
