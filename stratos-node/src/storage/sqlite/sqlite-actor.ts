import { type AtUri, type Boundary, type Cid, type Did, recordUri } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type {
  BlockPage,
  CommitEvent,
  EventOp,
  RecordContent,
  RecordPage,
  RecordStanding,
  RepoCommit,
  RepoRoot,
  StoredBlock,
  StoredRecord,
} from '../actor-storage.ts';
import { toEvent } from '../sql/actor-reader.ts';
import type { ActorTables } from '../sql/actor-tables.ts';
import { SqlActorTransactor } from '../sql/actor-transactor.ts';
import { addressRange } from '../sql/record-page.ts';
import * as statements from './actor-statements.ts';
import type { Prepare } from './connection.ts';
import { recordPageSql } from './record-page.ts';

/** More blocks than a change to one record makes. Of a larger commit, most outlive the next. */
const MAX_NEWEST = 32;

type EventRow = Parameters<typeof toEvent>[0] & { seq: number };

/** One actor's store within a transaction, with what most requests do as statements of its own. */
export class SqliteActor extends SqlActorTransactor {
  readonly #prepare: Prepare;

  constructor(did: Did, db: Kysely<ActorTables>, prepare: Prepare) {
    super(did, db);
    this.#prepare = prepare;
  }

  override async root(): Promise<RepoRoot | undefined> {
    return this.#prepare<RepoRoot>(statements.ROOT).get(this.did);
  }

  override async block(cid: Cid): Promise<Uint8Array | undefined> {
    return this.#prepare<{ content: Uint8Array }>(statements.BLOCK).get(cid)?.content;
  }

  override async blocks(cids: readonly Cid[]): Promise<Map<Cid, Uint8Array>> {
    const statement = this.#prepare<{ content: Uint8Array }>(statements.BLOCK);
    const blocks = new Map<Cid, Uint8Array>();
    for (const cid of cids) {
      const row = statement.get(cid);
      if (row) blocks.set(cid, row.content);
    }
    return blocks;
  }

  override async blockCids(): Promise<Cid[]> {
    const rows = this.#prepare<{ cid: Cid }>(statements.BLOCK_CIDS).all();
    return rows.map(({ cid }) => cid);
  }

  override async blockPage({ after, limit }: BlockPage): Promise<StoredBlock[]> {
    return this.#prepare<StoredBlock>(statements.BLOCK_PAGE).all(after.rev, after.cid, limit);
  }

  override async records(uris: readonly AtUri[]): Promise<Map<AtUri, StoredRecord>> {
    const statement = this.#prepare<StoredRecord>(statements.RECORD);
    const records = new Map<AtUri, StoredRecord>();
    for (const uri of uris) {
      const row = statement.get(uri);
      if (row) records.set(uri, row);
    }
    return records;
  }

  override async contents(uris: readonly AtUri[]): Promise<RecordContent[]> {
    return contentsOf(this.#prepare, uris);
  }

  override async recordPage(page: RecordPage): Promise<StoredRecord[]> {
    const { boundaries, limit } = page;
    if (boundaries?.length === 0) return [];
    const { low, high } = addressRange(this.did, page);
    const where = boundaries?.flatMap((boundary) => [boundary, low, high, limit]) ?? [low, high];
    return this.#prepare<StoredRecord>(recordPageSql(page)).all(...where, limit);
  }

  override async standings(uris: readonly AtUri[]): Promise<Map<AtUri, RecordStanding>> {
    type Row = Pick<RecordStanding, 'uri' | 'cid' | 'rev'> & { takedownRef: string | null };
    const standing = this.#prepare<Row>(statements.STANDING);
    const boundariesOf = this.#prepare<{ boundary: Boundary }>(statements.BOUNDARIES);
    const standings = new Map<AtUri, RecordStanding>();
    for (const asked of uris) {
      const row = standing.get(asked);
      if (!row) continue;
      const { takedownRef, ...rest } = row;
      const boundaries = boundariesOf.all(asked).map(({ boundary }) => boundary);
      standings.set(asked, { ...rest, boundaries, isTakenDown: takedownRef !== null });
    }
    return standings;
  }

  override async events(seqs: readonly number[]): Promise<Map<number, CommitEvent>> {
    const statement = this.#prepare<EventRow>(statements.EVENT);
    const events = new Map<number, CommitEvent>();
    for (const seq of seqs) {
      const row = statement.get(seq);
      if (row) events.set(seq, toEvent(row));
    }
    return events;
  }

  override async applyCommit(commit: RepoCommit): Promise<number> {
    const { root, removedCids, event } = commit;
    const removed = this.#clearNewest(removedCids);
    this.#putBlocks(commit);
    const { time, rev, proof, ...rest } = event;
    this.#prepare(statements.PUT_ROOT).run(this.did, root.cid, root.rev, time);
    for (const op of event.ops) this.#applyOp(op, root.rev, time);
    const removeBlock = this.#prepare(statements.REMOVE_BLOCK);
    for (const cid of removed) removeBlock.run(cid);
    const row = [this.did, time, rev, JSON.stringify(rest), proof];
    return Number(this.#prepare(statements.PUT_EVENT).run(...row).lastInsertRowid);
  }

  /** Moves what outlives the commit before to all blocks; returns what else there is to remove. */
  #clearNewest(removedCids: readonly Cid[]): Set<Cid> {
    const removed = new Set(removedCids);
    for (const { cid } of this.#prepare<{ cid: Cid }>(statements.NEWEST_CIDS).all()) {
      if (!removed.delete(cid)) this.#prepare(statements.KEEP_NEWEST).run(cid);
    }
    this.#prepare(statements.CLEAR_NEWEST).run();
    return removed;
  }

  /** Of a small commit, all but the records goes to the newest blocks. */
  #putBlocks({ root: { rev }, newBlocks, event }: RepoCommit): void {
    const putBlock = this.#prepare(statements.PUT_BLOCK);
    const putNewest = this.#prepare(statements.PUT_NEWEST);
    const blocks = [...newBlocks];
    const records = new Set(event.ops.map(({ cid }) => cid));
    const isSmall = blocks.length <= MAX_NEWEST;
    for (const [cid, bytes] of blocks) {
      if (isSmall && !records.has(cid)) putNewest.run(cid, rev, bytes);
      else putBlock.run(cid, rev, bytes.length, bytes);
    }
  }

  #applyOp(op: EventOp, repoRev: RepoRoot['rev'], indexedAt: string): void {
    const [collection = '', rkey = ''] = op.path.split('/');
    const uri = recordUri(this.did, collection, rkey);
    this.#prepare(statements.DELETE_BOUNDARIES).run(uri);
    for (const boundary of op.boundaries ?? []) {
      this.#prepare(statements.PUT_BOUNDARY).run(boundary, uri);
    }
    if (op.cid === undefined) this.#prepare(statements.DELETE_RECORD).run(uri);
    else {
      const row = [uri, op.cid, collection, rkey, repoRev, indexedAt];
      this.#prepare(statements.PUT_RECORD).run(...row);
    }
  }
}

/** What some records say, those of them that there are. */
export function contentsOf(prepare: Prepare, uris: readonly AtUri[]): RecordContent[] {
  const statement = prepare<Omit<RecordContent, 'uri'>>(statements.CONTENT);
  return uris.flatMap((uri) => {
    const row = statement.get(uri);
    return row ? [{ uri, cid: row.cid, bytes: row.bytes }] : [];
  });
}
