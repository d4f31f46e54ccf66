import type { AtUri, Cid } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type {
  BlobPage,
  BlobReader,
  BlobTransactor,
  ReferenceFilter,
  StoredBlob,
} from '../actor-blobs.ts';
import type { ActorTables } from './actor-tables.ts';

const ROWS_PER_STATEMENT = 200;

/** Reads what an actor's store knows of blobs. */
export class SqlBlobReader implements BlobReader {
  protected readonly db: Kysely<ActorTables>;

  constructor(db: Kysely<ActorTables>) {
    this.db = db;
  }

  async find(cids: readonly Cid[]): Promise<Map<Cid, StoredBlob>> {
    const found = new Map<Cid, StoredBlob>();
    for (const part of partsOf(cids)) {
      const rows = await this.db
        .selectFrom('stratos_blob')
        .selectAll()
        .where('cid', 'in', part)
        .execute();
      for (const row of rows) found.set(row.cid, row);
    }
    return found;
  }

  async isReferredTo(cid: Cid): Promise<boolean> {
    const row = await this.#references(cid).limit(1).executeTakeFirst();
    return row !== undefined;
  }

  async recordsWith(cid: Cid, { boundaries, limit }: ReferenceFilter): Promise<AtUri[]> {
    if (boundaries?.length === 0) return [];
    const rows = await this.#references(cid)
      .where('record.takedownRef', 'is', null)
      .$if(boundaries !== undefined, (query) =>
        query.where(({ exists, selectFrom }) =>
          exists(
            selectFrom('stratos_record_boundary as named')
              .select('named.uri')
              .whereRef('named.uri', '=', 'record.uri')
              .where('named.boundary', 'in', boundaries ?? []),
          ),
        ),
      )
      .limit(limit)
      .execute();
    return rows.map(({ uri }) => uri);
  }

  async page({ limit, after, since }: BlobPage): Promise<Cid[]> {
    const rows = await this.db
      .selectFrom('stratos_record_blob as reference')
      .innerJoin('stratos_record as record', 'record.uri', 'reference.recordUri')
      .innerJoin('stratos_blob as blob', 'blob.cid', 'reference.blobCid')
      .select('blob.cid')
      .distinct()
      .where('record.takedownRef', 'is', null)
      .where('blob.takedownRef', 'is', null)
      .$if(since !== undefined, (query) => query.where('record.repoRev', '>', since ?? null))
      .$if(after !== undefined, (query) => query.where('blob.cid', '>', (after ?? '') as Cid))
      .orderBy('blob.cid')
      .limit(limit)
      .execute();
    return rows.map(({ cid }) => cid);
  }

  async unreferenced(before: string): Promise<StoredBlob[]> {
    return this.db
      .selectFrom('stratos_blob as blob')
      .selectAll('blob')
      .where(({ eb, or }) =>
        or([eb('blob.tempKey', 'is', null), eb('blob.createdAt', '<', before)]),
      )
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('stratos_record_blob as reference')
              .innerJoin('stratos_record as record', 'record.uri', 'reference.recordUri')
              .select('record.uri')
              .whereRef('reference.blobCid', '=', 'blob.cid'),
          ),
        ),
      )
      .execute();
  }

  async temporaryKeys(): Promise<string[]> {
    const rows = await this.#temporary().execute();
    return rows.map(({ tempKey }) => tempKey);
  }

  async temporarySize(): Promise<number> {
    const rows = await this.#temporary().execute();
    return rows.reduce((sum, { size }) => sum + size, 0);
  }

  #temporary() {
    return this.db
      .selectFrom('stratos_blob')
      .select(['tempKey', 'size'])
      .where('tempKey', 'is not', null)
      .$narrowType<{ tempKey: string }>();
  }

  #references(cid: Cid) {
    return this.db
      .selectFrom('stratos_record_blob as reference')
      .innerJoin('stratos_record as record', 'record.uri', 'reference.recordUri')
      .select('record.uri')
      .where('reference.blobCid', '=', cid);
  }
}

/** Reads and writes what an actor's store knows of blobs. */
export class SqlBlobTransactor extends SqlBlobReader implements BlobTransactor {
  async put({ cid, ...values }: StoredBlob): Promise<void> {
    await this.db
      .insertInto('stratos_blob')
      .values({ cid, ...values })
      .onConflict((conflict) => conflict.column('cid').doUpdateSet(values))
      .execute();
  }

  async refer(references: ReadonlyMap<AtUri, readonly Cid[]>): Promise<boolean> {
    let removed = 0n;
    for (const uris of partsOf([...references.keys()])) {
      const { numDeletedRows } = await this.db
        .deleteFrom('stratos_record_blob')
        .where('recordUri', 'in', uris)
        .executeTakeFirst();
      removed += numDeletedRows;
    }
    const rows = [...references].flatMap(([recordUri, cids]) =>
      [...new Set(cids)].map((blobCid) => ({ blobCid, recordUri })),
    );
    for (const part of partsOf(rows)) {
      await this.db.insertInto('stratos_record_blob').values(part).execute();
      const cids = part.map(({ blobCid }) => blobCid);
      await this.db
        .updateTable('stratos_blob')
        .set({ tempKey: null })
        .where('cid', 'in', cids)
        .execute();
    }
    return removed > 0n;
  }

  async setTakedown(cid: Cid, takedownRef: string | null): Promise<void> {
    await this.db
      .updateTable('stratos_blob')
      .set({ takedownRef, tempKey: null })
      .where('cid', '=', cid)
      .execute();
  }

  async forget(cids: readonly Cid[]): Promise<void> {
    for (const part of partsOf(cids)) {
      await this.db.deleteFrom('stratos_record_blob').where('blobCid', 'in', part).execute();
      await this.db
        .deleteFrom('stratos_blob')
        .where('cid', 'in', part)
        .where('takedownRef', 'is', null)
        .execute();
    }
  }

  async forgetAll(): Promise<void> {
    await this.db.deleteFrom('stratos_record_blob').execute();
    await this.db.deleteFrom('stratos_blob').execute();
  }
}

function* partsOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += ROWS_PER_STATEMENT) {
    yield items.slice(start, start + ROWS_PER_STATEMENT);
  }
}
