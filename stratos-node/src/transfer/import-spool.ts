import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Cid as CidLink, decodeCid } from '@atproto/lex-data';
import type { AtUri, Boundary, Cid } from '@stratos/protocol';
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
  cid: CidLink;
  /** Of its key in the tree. */
  layer: number;
}

export interface SpooledRecord extends Omit<PreparedRecord, 'cid' | 'parent'> {
  cid: Cid;
  link: CidLink;
  bytes: Uint8Array;
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
export class ImportSpool implements Disposable {
  readonly #database: Database;
  readonly #put: Statement;
  readonly #get: Statement;
  readonly #putRecord: Statement;
  readonly #recordsAfter: Statement;
  readonly #repliesAfter: Statement;
  readonly #urisAfter: Statement;
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
          parent TEXT, cid BLOB NOT NULL, layer INTEGER NOT NULL);
        BEGIN`);
    } finally {
      unlinkSync(path);
    }
    const prepare = (sql: string) => this.#database.prepare(sql);
    this.#put = prepare('INSERT OR IGNORE INTO block (cid, bytes) VALUES (?, ?)');
    this.#get = prepare('SELECT bytes FROM block WHERE cid = ?').pluck();
    this.#putRecord = prepare(`
      INSERT INTO record (uri, op, stub, blobs, parent, cid, layer) VALUES (?, ?, ?, ?, ?, ?, ?)`);
    this.#recordsAfter = prepare(`
      SELECT record.*, block.bytes FROM record JOIN block ON block.cid = record.cid
      WHERE record.n > ? ORDER BY record.n LIMIT ?`);
    this.#repliesAfter = prepare(`
      SELECT record.*, block.bytes, parent.op AS parentOp
      FROM record JOIN block ON block.cid = record.cid
      LEFT JOIN record AS parent ON parent.uri = record.parent
      WHERE record.parent IS NOT NULL AND record.n > ? ORDER BY record.n LIMIT ?`);
    this.#urisAfter = prepare('SELECT n, uri FROM record WHERE n > ? ORDER BY n LIMIT ?');
    this.#blobs = prepare('SELECT blobs FROM record WHERE blobs IS NOT NULL').pluck();
  }

  putBlock(cid: Uint8Array, bytes: Uint8Array): void {
    this.#put.run(cid, bytes);
  }

  block(cid: Uint8Array): Uint8Array | undefined {
    return this.#get.get(cid) as Uint8Array | undefined;
  }

  putRecord({ uri, op, stub, blobs, parent, cid, layer }: PreparedRecord): void {
    const stubText = stub ? JSON.stringify(stub) : null;
    const blobText = blobs.length > 0 ? JSON.stringify(blobs) : null;
    const row = [uri, JSON.stringify(op), stubText, blobText, parent ?? null, cid.bytes, layer];
    this.#putRecord.run(...row);
  }

  /** The records with their content, in the order in which they were put. */
  *records(perPage: number): Generator<SpooledRecord[]> {
    for (const rows of this.#pages(this.#recordsAfter, perPage)) {
      yield rows.map((row) => {
        const op: EventOp = JSON.parse(row.op);
        return {
          uri: row.uri,
          cid: op.cid as Cid,
          link: decodeCid(row.cid),
          layer: row.layer,
          bytes: row.bytes,
          op,
          stub: row.stub === null ? undefined : JSON.parse(row.stub),
          blobs: row.blobs === null ? [] : JSON.parse(row.blobs),
        };
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
