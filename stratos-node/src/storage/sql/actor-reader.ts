import type { AtUri, Cid, Did, Tid } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type {
  ActorReader,
  CommitEvent,
  RecordPage,
  RecordStanding,
  RepoRoot,
  StoredRecord,
} from '../actor-storage.ts';
import type { ActorTables } from './actor-tables.ts';
import { recordPageQuery } from './record-page.ts';

/** Reads one actor's store. */
export class SqlActorReader implements ActorReader {
  readonly did: Did;
  protected readonly db: Kysely<ActorTables>;

  constructor(did: Did, db: Kysely<ActorTables>) {
    this.did = did;
    this.db = db;
  }

  /** The raw P-256 key by which this repo's commits are signed. */
  async signingKey(): Promise<Uint8Array> {
    const row = await this.db
      .selectFrom('stratos_signing_key')
      .select('key')
      .where('did', '=', this.did)
      .executeTakeFirstOrThrow();
    return row.key;
  }

  async root(): Promise<RepoRoot | undefined> {
    return this.db
      .selectFrom('stratos_repo_root')
      .select(['cid', 'rev'])
      .where('did', '=', this.did)
      .executeTakeFirst();
  }

  async block(cid: Cid): Promise<Uint8Array | undefined> {
    const row = await this.db
      .selectFrom('stratos_repo_block')
      .select('content')
      .where('cid', '=', cid)
      .executeTakeFirst();
    return row?.content;
  }

  async blocks(cids: readonly Cid[]): Promise<Map<Cid, Uint8Array>> {
    if (cids.length === 0) return new Map();
    const rows = await this.db
      .selectFrom('stratos_repo_block')
      .select(['cid', 'content'])
      .where('cid', 'in', cids)
      .execute();
    return new Map(rows.map((row) => [row.cid, row.content]));
  }

  /** Every block that is stored. */
  async blockCids(): Promise<Cid[]> {
    const rows = await this.db.selectFrom('stratos_repo_block').select('cid').execute();
    return rows.map(({ cid }) => cid);
  }

  /** Records by address with their content, those that exist and are not taken down. */
  async records(uris: readonly AtUri[]): Promise<Map<AtUri, StoredRecord>> {
    if (uris.length === 0) return new Map();
    const rows = await this.db
      .selectFrom('stratos_record as record')
      .innerJoin('stratos_repo_block as block', 'block.cid', 'record.cid')
      .select(['record.uri', 'record.cid', 'record.collection', 'record.rkey'])
      .select(['record.repoRev as rev', 'block.content as bytes'])
      .where('record.uri', 'in', uris)
      .where('record.takedownRef', 'is', null)
      .execute();
    return new Map(rows.map((row) => [row.uri, row]));
  }

  async record(uri: AtUri): Promise<StoredRecord | undefined> {
    return (await this.records([uri])).get(uri);
  }

  /** A page of a collection's records with their content, none that are taken down. */
  async recordPage(page: RecordPage): Promise<StoredRecord[]> {
    if (page.boundaries?.length === 0) return [];
    return recordPageQuery(this.db, this.did, page).execute();
  }

  /** What there is at addresses, taken down or not. */
  async standings(uris: readonly AtUri[]): Promise<Map<AtUri, RecordStanding>> {
    const rows = await this.db
      .selectFrom('stratos_record')
      .select(['uri', 'cid', 'repoRev as rev', 'takedownRef'])
      .where('uri', 'in', uris)
      .execute();
    const named = await this.db
      .selectFrom('stratos_record_boundary')
      .selectAll()
      .where('uri', 'in', uris)
      .orderBy('boundary')
      .execute();
    const boundariesOf = Map.groupBy(named, ({ uri }) => uri);
    return new Map(
      rows.map(({ takedownRef, ...row }) => {
        const boundaries = (boundariesOf.get(row.uri) ?? []).map(({ boundary }) => boundary);
        return [row.uri, { ...row, boundaries, isTakenDown: takedownRef !== null }];
      }),
    );
  }

  /** Collections that have a record. */
  async collections(): Promise<string[]> {
    const rows = await this.db
      .selectFrom('stratos_record')
      .select('collection')
      .distinct()
      .where('takedownRef', 'is', null)
      .orderBy('collection')
      .execute();
    return rows.map(({ collection }) => collection);
  }

  /** Events after a position of this actor's log, oldest first. */
  async eventsAfter(seq: number, limit: number): Promise<Map<number, CommitEvent>> {
    const rows = await this.db
      .selectFrom('stratos_seq')
      .selectAll()
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(limit)
      .execute();
    return new Map(rows.map((row) => [row.seq, toEvent(row)]));
  }

  async events(seqs: readonly number[]): Promise<Map<number, CommitEvent>> {
    const rows = await this.db
      .selectFrom('stratos_seq')
      .selectAll()
      .where('seq', 'in', seqs)
      .execute();
    return new Map(rows.map((row) => [row.seq, toEvent(row)]));
  }

  /** The commit that made revision `rev`. */
  async commitOf(rev: Tid): Promise<Cid | undefined> {
    const row = await this.db
      .selectFrom('stratos_seq')
      .selectAll()
      .where('rev', '=', rev)
      .executeTakeFirst();
    return row && toEvent(row).commit;
  }
}

function toEvent(row: { time: string; rev: Tid; event: string; proof: Uint8Array }): CommitEvent {
  return { ...JSON.parse(row.event), time: row.time, rev: row.rev, proof: row.proof };
}
