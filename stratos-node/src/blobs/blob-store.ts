import type { Readable } from 'node:stream';
import type { Cid, Did } from '@stratos/protocol';

/** Part of a blob, both ends included, from 0. */
export interface ByteRange {
  first: number;
  last: number;
}

/** Bytes that were uploaded and to which no record refers yet. */
export interface TemporaryBlob {
  did: Did;
  key: string;
  writtenAt: Date;
}

/**
 * Where the bytes of blobs lie. Each is in one of three places: *temporary* under a key of its own,
 * *permanent* under its CID once a record refers to it, in *quarantine* while it is taken down. What
 * a call changed is durable when it returns, and every call can be repeated.
 */
export interface BlobStore extends AsyncDisposable {
  /** Writes a temporary blob as its bytes come. If they fail, or writing does, nothing is left. */
  putTemporary(did: Did, key: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  removeTemporary(did: Did, key: string): Promise<void>;
  /** All that is temporary, of everybody. */
  temporary(): AsyncIterable<TemporaryBlob>;
  /**
   * Makes a blob permanent, leaving the temporary one where it is.
   *
   * @param key - of the temporary blob; without one it must be permanent already
   * @returns whether it is permanent now; false if its bytes are not there
   */
  keep(did: Did, cid: Cid, key: string | undefined): Promise<boolean>;
  /** The bytes of a permanent blob, to be read to the end or destroyed; undefined if there is none. */
  open(did: Did, cid: Cid, range?: ByteRange): Promise<Readable | undefined>;
  has(did: Did, cid: Cid): Promise<boolean>;
  quarantine(did: Did, cid: Cid): Promise<void>;
  /** Brings a blob back from quarantine. */
  release(did: Did, cid: Cid): Promise<void>;
  /** Removes a blob, permanent or in quarantine. */
  remove(did: Did, cid: Cid): Promise<void>;
  /** Removes everything of a person, wherever it lies. */
  removeAll(did: Did): Promise<void>;
}
