import type { LexMap } from '@atproto/lex-data';
import type { AtUri, Cid } from '@stratos/protocol';
import type { RepoRoot } from '../storage/actor-storage.ts';

/** Writes that one request may have. */
export const MAX_WRITES = 200;

interface Target {
  collection: string;
  rkey: string;
}

/** A record to be made, replaced, or whichever of the two applies. */
export interface PutWrite extends Target {
  action: 'create' | 'update' | 'put';
  record: LexMap;
  /** CID of the record that this replaces, null if there must be none; anything if undefined. */
  swapRecord?: string | null | undefined;
}

export interface DeleteWrite extends Target {
  action: 'delete';
  swapRecord?: string | undefined;
}

/** What somebody wants done to one record of theirs. */
export type Write = PutWrite | DeleteWrite;

export type ValidationStatus = 'valid' | 'unknown';

export interface PutResult {
  action: 'create' | 'update';
  uri: AtUri;
  cid: Cid;
  validationStatus: ValidationStatus;
}

/** What came of one write. */
export type WriteResult = PutResult | { action: 'delete' };

/** What came of a list of writes. */
export interface Written {
  /** The commit that made things as they are now; undefined if there never was anything to do. */
  commit: RepoRoot | undefined;
  /** In the order of the writes. */
  results: WriteResult[];
}
