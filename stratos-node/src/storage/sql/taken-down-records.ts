import type { AtUri } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type { StoredRecord } from '../actor-storage.ts';
import type { ActorTables } from './actor-tables.ts';

/** A record that was taken down, with the content that is kept of it. */
export async function takenDownRecord(
  db: Kysely<ActorTables>,
  uri: AtUri,
): Promise<StoredRecord | undefined> {
  return db
    .selectFrom('stratos_record as record')
    .innerJoin('stratos_taken_down as kept', 'kept.uri', 'record.uri')
    .select(['record.uri', 'record.cid', 'record.collection', 'record.rkey'])
    .select(['record.repoRev as rev', 'kept.content as bytes'])
    .where('record.uri', '=', uri)
    .where('record.takedownRef', 'is not', null)
    .executeTakeFirst();
}

/** Keeps a record that is no longer in the repo; its key stays taken. */
export async function putTakenDown(
  db: Kysely<ActorTables>,
  { rev: repoRev, bytes: content, ...record }: StoredRecord,
  takedownRef: string,
): Promise<void> {
  const indexedAt = new Date().toISOString();
  await db
    .insertInto('stratos_record')
    .values({ ...record, repoRev, indexedAt, takedownRef })
    .execute();
  await db.insertInto('stratos_taken_down').values({ uri: record.uri, content }).execute();
}

/** Leaves nothing of records that were taken down. */
export async function removeTakenDown(
  db: Kysely<ActorTables>,
  uris: readonly AtUri[],
): Promise<void> {
  if (uris.length === 0) return;
  await db.deleteFrom('stratos_taken_down').where('uri', 'in', uris).execute();
  await db
    .deleteFrom('stratos_record')
    .where('uri', 'in', uris)
    .where('takedownRef', 'is not', null)
    .execute();
}
