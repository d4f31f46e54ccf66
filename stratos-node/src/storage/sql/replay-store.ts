import type { ReplayStore } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type { ServiceTables } from './service-tables.ts';

const PRUNE_EVERY_MS = 60_000;

/** Remembers used tokens across restarts, for as long as they would be valid. */
export class SqlReplayStore implements ReplayStore {
  readonly #db: Kysely<ServiceTables>;
  #prunedAt = 0;

  constructor(db: Kysely<ServiceTables>) {
    this.#db = db;
  }

  async claim(id: string, expiresAt: Date): Promise<boolean> {
    const now = Date.now();
    if (now - this.#prunedAt > PRUNE_EVERY_MS) {
      this.#prunedAt = now;
      await this.#db.deleteFrom('replay').where('expiresAt', '<', now).execute();
    }
    const inserted = await this.#db
      .insertInto('replay')
      .values({ id, expiresAt: expiresAt.getTime() })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return inserted.numInsertedOrUpdatedRows === 1n;
  }
}
