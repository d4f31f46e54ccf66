import type { Did, DidKey } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type { NodeKeyRow, NodeKeyStore } from '../service-storage.ts';
import type { ServiceTables } from './service-tables.ts';

export class SqlNodeKeyStore implements NodeKeyStore {
  readonly #db: Kysely<ServiceTables>;

  constructor(db: Kysely<ServiceTables>) {
    this.#db = db;
  }

  async history(): Promise<NodeKeyRow[]> {
    const rows = await this.#db
      .selectFrom('node_key')
      .select(['key', 'validFrom', 'validUntil', 'membershipSeq', 'sig'])
      .orderBy('membershipSeq')
      .orderBy('validFrom')
      .execute();
    return rows.map(({ validUntil, sig, ...row }) => ({
      ...row,
      ...(validUntil !== null && { validUntil }),
      ...(sig !== null && { sig }),
    }));
  }

  async current(): Promise<DidKey | undefined> {
    const row = await this.#db
      .selectFrom('node_key')
      .select('key')
      .where('validUntil', 'is', null)
      .executeTakeFirst();
    return row?.key;
  }

  async hold(key: DidKey): Promise<boolean> {
    // @NOTE an update, because that is what makes another transaction wait in every database
    const held = await this.#db
      .updateTable('node_key')
      .set({ validUntil: null })
      .where('key', '=', key)
      .where('validUntil', 'is', null)
      .executeTakeFirst();
    return held.numUpdatedRows === 1n;
  }

  async begin(row: NodeKeyRow, sealed?: Uint8Array): Promise<void> {
    await this.#db
      .insertInto('node_key')
      .values({
        ...row,
        validUntil: null,
        sig: row.sig ?? null,
        secret: sealed ?? null,
        republishAfter: row.sig ? '' : null,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  async end(key: DidKey, validUntil: string): Promise<void> {
    await this.#db
      .updateTable('node_key')
      .set({ validUntil, secret: null, republishAfter: null })
      .where('key', '=', key)
      .execute();
  }

  async sealed(key: DidKey): Promise<Uint8Array | undefined> {
    const row = await this.#db
      .selectFrom('node_key')
      .select('secret')
      .where('key', '=', key)
      .executeTakeFirst();
    return row?.secret ?? undefined;
  }

  async republishAfter(): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom('node_key')
      .select('republishAfter')
      .where('validUntil', 'is', null)
      .executeTakeFirst();
    return row?.republishAfter ?? undefined;
  }

  async setRepublishAfter(did: Did | undefined): Promise<void> {
    await this.#db
      .updateTable('node_key')
      .set({ republishAfter: did ?? null })
      .where('validUntil', 'is', null)
      .execute();
  }
}
