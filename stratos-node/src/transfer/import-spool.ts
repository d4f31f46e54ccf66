import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Cid as CidLink } from '@atproto/lex-data';
import {
  type AtUri,
  type BlockSource,
  type Boundary,
  CarReader,
  parseAtUri,
} from '@stratos/protocol';
import type { CidBytes } from '@stratos/protocol/tree';
import SqliteDatabase, { type Database, type Statement } from 'better-sqlite3';
import type { BlobDescription } from '../blobs/upload-check.ts';
import type { EventOp, StubChange } from '../storage/actor-storage.ts';

/** A record that is ready to be written. */
export interface PreparedRecord {
  uri: AtUri;
  op: EventOp;
  stub: StubChange | undefined;
  blobs: readonly BlobDescription[];
  /** What it is a reply to. */
  parent: AtUri | undefined;
  cid: CidBytes;
  /** Of its key in the tree. */
  layer: number;
  /** What is to be stored; that of the block with this CID if undefined. */
  bytes: Uint8Array | undefined;
}

export interface SpooledRecord extends Omit<PreparedRecord, 'parent' | 'bytes'> {
  bytes: Uint8Array;
}

/** A record as the tree has it. */
export interface SpooledLeaf extends Pick<PreparedRecord, 'cid' | 'layer'> {
  key: string;
}

/** A record that is a reply, and its parent if that is in the spool as well. */
export interface SpooledReply {
  uri: AtUri;
  boundaries: Boundary[];
  bytes: Uint8Array;
  parent: { uri: AtUri; boundaries: Boundary[] } | undefined;
}

interface RecordRow {
  n: number;
  uri: AtUri;
  op: string;
  stub: string | null;
  blobs: string | null;
  cid: Uint8Array;
  layer: number;
  bytes: Uint8Array;
  parent: AtUri | null;
  parentOp: string | null;
}

const PAGE_CACHE_KIB = 32_000;

/**
 * Where a CAR waits while it is checked: a database whose file has no name from the moment on at
 * which it is open, so that nothing of it is left however the import ends.
 */
export class ImportSpool implements BlockSource, Disposable {
  readonly #database: Database;
  readonly #put: Statement;
  readonly #get: Statement;
  readonly #putRecord: Statement;
  readonly #recordsAfter: Statement;
  readonly #repliesAfter: Statement;
  readonly #urisAfter: Statement;
  readonly #leavesAfter: Statement;
  readonly #blobs: Statement;

  constructor(dataDir: string) {
    const folder = join(dataDir, 'imports');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, randomUUID());
    closeSync(openSync(path, 'wx', 0o600));
    this.#database = new SqliteDatabase(path);
    try {
      this.#database.pragma('journal_mode = OFF');
      this.#database.pragma('synchronous = OFF');
      this.#database.pragma('locking_mode = EXCLUSIVE');
      this.#database.pragma(`cache_size = -${PAGE_CACHE_KIB}`);
      this.#database.exec(`
        CREATE TABLE block (cid BLOB PRIMARY KEY, bytes BLOB NOT NULL);
        CREATE TABLE record (
          n INTEGER PRIMARY KEY, uri TEXT UNIQUE NOT NULL, op TEXT NOT NULL, stub TEXT, blobs TEXT,
          parent TEXT, cid BLOB NOT NULL, layer INTEGER NOT NULL, content BLOB);
        BEGIN`);
    } finally {
      unlinkSync(path);
    }
    const prepare = (sql: string) => this.#database.prepare(sql);
    this.#put = prepare('INSERT OR IGNORE INTO block (cid, bytes) VALUES (?, ?)');
    this.#get = prepare('SELECT bytes FROM block WHERE cid = ?').pluck();
    this.#putRecord = prepare(`
      INSERT INTO record (uri, op, stub, blobs, parent, cid, layer, content)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#recordsAfter = prepare(`
      SELECT record.*, coalesce(content, block.bytes) AS bytes
      FROM record LEFT JOIN block ON block.cid = record.cid
      WHERE n > ? ORDER BY n LIMIT ?`);
    this.#repliesAfter = prepare(`
      SELECT record.*, coalesce(record.content, block.bytes) AS bytes, parent.op AS parentOp
      FROM record LEFT JOIN block ON block.cid = record.cid
      LEFT JOIN record AS parent ON parent.uri = record.parent
      WHERE record.parent IS NOT NULL AND record.n > ? ORDER BY record.n LIMIT ?`);
    this.#urisAfter = prepare('SELECT n, uri FROM record WHERE n > ? ORDER BY n LIMIT ?');
    this.#leavesAfter = prepare(`
      SELECT n, uri, cid, layer FROM record WHERE n > ? ORDER BY n LIMIT ?`);
    this.#blobs = prepare('SELECT blobs FROM record WHERE blobs IS NOT NULL').pluck();
  }

  /**
   * Takes the blocks of a CAR.
   *
   * @returns its root
   * @throws {@link ProofError}
   */
  async take(car: AsyncIterable<Uint8Array>): Promise<CidLink> {
    const { reader, root } = await CarReader.open(car);
    for await (const blocks of reader.blocks()) {
      for (const { cid, bytes } of blocks) this.#put.run(cid, bytes);
    }
    return root;
  }

  get(cid: CidBytes): Uint8Array | undefined {
    return this.#get.get(cid) as Uint8Array | undefined;
  }

  putRecord({ uri, op, stub, blobs, parent, cid, layer, bytes }: PreparedRecord): void {
    const stubText = stub ? JSON.stringify(stub) : null;
    const blobText = blobs.length > 0 ? JSON.stringify(blobs) : null;
    const texts = [uri, JSON.stringify(op), stubText, blobText, parent ?? null];
    this.#putRecord.run(...texts, cid, layer, bytes ?? null);
  }

  /** The records with their content, in the order in which they were put. */
  *records(perPage: number): Generator<SpooledRecord[]> {
    for (const rows of this.#pages(this.#recordsAfter, perPage)) {
      yield rows.map(({ uri, cid, layer, bytes, op, stub, blobs }) => ({
        uri,
        cid,
        layer,
        bytes,
        op: JSON.parse(op),
        stub: stub === null ? undefined : JSON.parse(stub),
        blobs: blobs === null ? [] : JSON.parse(blobs),
      }));
    }
  }

  /** The same as the tree has them. */
  *leaves(perPage: number): Generator<SpooledLeaf[]> {
    for (const rows of this.#pages(this.#leavesAfter, perPage)) {
      yield rows.map(({ uri, cid, layer }) => {
        const { collection, rkey } = parseAtUri(uri);
        return { key: `${collection}/${rkey}`, cid, layer };
      });
    }
  }

  *uris(perPage: number): Generator<AtUri[]> {
    for (const rows of this.#pages(this.#urisAfter, perPage)) yield rows.map(({ uri }) => uri);
  }

  /** The blobs of each record that has any. */
  *blobs(): Generator<BlobDescription[]> {
    for (const text of this.#blobs.iterate()) yield JSON.parse(text as string);
  }

  *replies(perPage: number): Generator<SpooledReply[]> {
    for (const rows of this.#pages(this.#repliesAfter, perPage)) {
      yield rows.map(({ uri, op, bytes, parent, parentOp }) => ({
        uri,
        boundaries: boundariesOf(op),
        bytes,
        parent:
          parent === null || parentOp === null
            ? undefined
            : { uri: parent, boundaries: boundariesOf(parentOp) },
      }));
    }
  }

  *#pages(statement: Statement, perPage: number): Generator<RecordRow[]> {
    for (let after = 0; ; ) {
      const rows = statement.all(after, perPage) as RecordRow[];
      const last = rows.at(-1);
      if (!last) return;
      after = last.n;
      yield rows;
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

function boundariesOf(op: string): Boundary[] {
  return JSON.parse(op).boundaries;
}
