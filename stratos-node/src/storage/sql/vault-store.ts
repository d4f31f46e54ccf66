import type { Kysely } from 'kysely';
import type { VaultRow, VaultStore } from '../service-storage.ts';
import type { ServiceTables } from './service-tables.ts';

const ONLY = 1;

export class SqlVaultStore implements VaultStore {
  readonly #db: Kysely<ServiceTables>;

  constructor(db: Kysely<ServiceTables>) {
    this.#db = db;
  }

  async get(): Promise<VaultRow | undefined> {
    return this.#db
      .selectFrom('key_vault')
      .select(['salt', 'canary'])
      .where('id', '=', ONLY)
      .executeTakeFirst();
  }

  async create(row: VaultRow): Promise<void> {
    await this.#db
      .insertInto('key_vault')
      .values({ id: ONLY, ...row, sealedAt: null })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  async sealedAt(): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom('key_vault')
      .select('sealedAt')
      .where('id', '=', ONLY)
      .executeTakeFirst();
    return row?.sealedAt ?? undefined;
  }

  async setSealedAt(sealedAt: string): Promise<void> {
    await this.#db.updateTable('key_vault').set({ sealedAt }).where('id', '=', ONLY).execute();
  }
}
