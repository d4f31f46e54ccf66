import type { AtUri, Boundary, Cid, Tid } from '@stratos/protocol';

/** A blob as an actor's store knows it. */
export interface StoredBlob {
  cid: Cid;
  mimeType: string;
  /** In bytes. */
  size: number;
  /** Where its bytes lie as long as they are temporary. */
  tempKey: string | null;
  createdAt: string;
  takedownRef: string | null;
}

/** Part of the blobs to which records refer, by CID. */
export interface BlobPage {
  limit: number;
  after: string | undefined;
  /** Only those of records that were written after this revision. */
  since: Tid | undefined;
}

/** Which records a blob is looked for in. */
export interface ReferenceFilter {
  /** Those in at least one of these boundaries; all if undefined. */
  boundaries: readonly Boundary[] | undefined;
  limit: number;
}

/** Reads what an actor's store knows of blobs. */
export interface BlobReader {
  find(cids: readonly Cid[]): Promise<Map<Cid, StoredBlob>>;
  /** Whether a record refers to a blob, be it taken down or not. */
  isReferredTo(cid: Cid): Promise<boolean>;
  /** Records that refer to a blob, none that are taken down. */
  recordsWith(cid: Cid, filter: ReferenceFilter): Promise<AtUri[]>;
  /** CIDs of blobs that can be read because of a record, none that are taken down. */
  page(page: BlobPage): Promise<Cid[]>;
  /** Blobs to which nothing refers, of the temporary ones those from before a time. */
  unreferenced(before: string): Promise<StoredBlob[]>;
  /** Keys of the temporary blobs. */
  temporaryKeys(): Promise<string[]>;
  /** Bytes of the temporary blobs together. */
  temporarySize(): Promise<number>;
}

/** Reads and writes what an actor's store knows of blobs. */
export interface BlobTransactor extends BlobReader {
  /** Takes the place of what was known of the blob. */
  put(blob: StoredBlob): Promise<void>;
  /**
   * Says to which blobs records refer from now on; those are no longer temporary.
   *
   * @returns whether one of the records referred to blobs before
   */
  refer(references: ReadonlyMap<AtUri, readonly Cid[]>): Promise<boolean>;
  setTakedown(cid: Cid, takedownRef: string | null): Promise<void>;
  /** Leaves nothing of blobs, except that they are taken down. */
  forget(cids: readonly Cid[]): Promise<void>;
  forgetAll(): Promise<void>;
}
