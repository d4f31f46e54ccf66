import type { Did } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type { PublicationStore } from '../service-storage.ts';
import type { ServiceTables } from './service-tables.ts';

export class SqlPublicationStore implements PublicationStore {
  readonly #db: Kysely<ServiceTables>;

  constructor(db: Kysely<ServiceTables>) {
    this.#db = db;
  }

  async publishedSeq(did: Did): Promise<number> {
    const row = await this.#db
      .selectFrom('actor_publication')
      .select('publishedSeq')
      .where('did', '=', did)
      .executeTakeFirst();
    return row?.publishedSeq ?? 0;
  }

  async advance(did: Did, publishedSeq: number): Promise<void> {
    await this.#db
      .insertInto('actor_publication')
      .values({ did, publishedSeq, dirty: 1 })
      .onConflict((conflict) => conflict.column('did').doUpdateSet({ publishedSeq }))
      .execute();
  }

  async markDirty(did: Did): Promise<void> {
    await this.#db
      .insertInto('actor_publication')
      .values({ did, publishedSeq: 0, dirty: 1 })
      .onConflict((conflict) => conflict.column('did').doUpdateSet({ dirty: 1 }))
      .execute();
  }

  async dirtyActors(): Promise<Did[]> {
    const rows = await this.#db
      .selectFrom('actor_publication')
      .select('did')
      .where('dirty', '=', 1)
      .execute();
    return rows.map(({ did }) => did);
  }

  async recovered(did: Did): Promise<void> {
    await this.markClean(did);
  }

  async markClean(did: Did): Promise<void> {
    await this.#db
      .updateTable('actor_publication')
      .set({ dirty: 0 })
      .where('did', '=', did)
      .execute();
  }
}
