import type { AtUri, Cid, Did, Tid } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type {
  ActorReader,
  BlockPage,
  CommitEvent,
  RecordContent,
  RecordPage,
  RecordStanding,
  RepoRoot,
  StoredBlock,
  StoredRecord,
} from '../actor-storage.ts';
import { SqlBlobReader } from './actor-blobs.ts';
import type { ActorTables } from './actor-tables.ts';
import { blockPage } from './block-page.ts';
import { recordPageQuery } from './record-page.ts';
import { takenDownRecord } from './taken-down-records.ts';

/** Reads one actor's store. */
export class SqlActorReader implements ActorReader {
  readonly did: Did;
  protected readonly db: Kysely<ActorTables>;

  constructor(did: Did, db: Kysely<ActorTables>) {
    this.did = did;
    this.db = db;
  }

  get blobs(): SqlBlobReader {
    return new SqlBlobReader(this.db);
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

  async blockPage(page: BlockPage): Promise<StoredBlock[]> {
    return blockPage(this.db, page);
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

  async contents(uris: readonly AtUri[]): Promise<RecordContent[]> {
    return [...(await this.records(uris)).values()];
  }

  /** A page of a collection's records with their content, none that are taken down. */
  async recordPage(page: RecordPage): Promise<StoredRecord[]> {
    if (page.boundaries?.length === 0) return [];
    return recordPageQuery(this.db, this.did, page).execute();
  }

  /** What there is at addresses, taken down or not. */
  async standings(uris: readonly AtUri[]): Promise<Map<AtUri, RecordStanding>> {
    if (uris.length === 0) return new Map();
    const rows = await this.db
      .selectFrom('stratos_record as record')
      .leftJoin('stratos_record_boundary as named', 'named.uri', 'record.uri')
      .select(['record.uri', 'record.cid', 'record.repoRev as rev', 'record.takedownRef'])
      .select('named.boundary')
      .where('record.uri', 'in', uris)
      .orderBy('named.boundary')
      .execute();
    const standings = new Map<AtUri, RecordStanding>();
    for (const { uri, cid, rev, takedownRef, boundary } of rows) {
      const isTakenDown = takedownRef !== null;
      const standing = standings.get(uri) ?? { uri, cid, rev, boundaries: [], isTakenDown };
      standings.set(uri, standing);
      if (boundary !== null) standing.boundaries.push(boundary);
    }
    return standings;
  }

  async takenDownRecord(uri: AtUri): Promise<StoredRecord | undefined> {
    return takenDownRecord(this.db, uri);
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
    if (seqs.length === 0) return new Map();
    const rows = await this.db
      .selectFrom('stratos_seq')
      .selectAll()
      .where('seq', 'in', seqs)
      .execute();
    return new Map(rows.map((row) => [row.seq, toEvent(row)]));
  }

  async newestEvent(): Promise<[seq: number, event: CommitEvent] | undefined> {
    const row = await this.db
      .selectFrom('stratos_seq')
      .selectAll()
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row && [row.seq, toEvent(row)];
  }

  async eventFloor(): Promise<number> {
    const row = await this.db
      .selectFrom('stratos_seq_floor')
      .select('seq')
      .where('did', '=', this.did)
      .executeTakeFirst();
    return row?.seq ?? 0;
  }

  /** The commit that made revision `rev`. */
  async commitOf(rev: Tid): Promise<Cid | undefined> {
    const root = await this.root();
    if (root?.rev === rev) return root.cid;
    const row = await this.db
      .selectFrom('stratos_seq')
      .selectAll()
      .where('rev', '=', rev)
      .executeTakeFirst();
    return row && toEvent(row).commit;
  }
}

export function toEvent(row: {
  time: string;
  rev: Tid;
  event: string;
  proof: Uint8Array;
}): CommitEvent {
  return { ...JSON.parse(row.event), time: row.time, rev: row.rev, proof: row.proof };
}
