import type { AtUri, Boundary, Cid, Did, Tid } from '@stratos/protocol';
import type { Generated } from 'kysely';

/** Tables of one actor's database. */
export interface ActorTables {
  stratos_repo_root: { did: Did; cid: Cid; rev: Tid; indexedAt: string };
  stratos_repo_block: { cid: Cid; repoRev: Tid; size: number; content: Uint8Array };
  stratos_record: {
    uri: AtUri;
    cid: Cid;
    collection: string;
    rkey: string;
    repoRev: Tid;
    indexedAt: string;
    takedownRef: string | null;
  };
  /** Content of records that were taken down, which their repo no longer has. */
  stratos_taken_down: { uri: AtUri; content: Uint8Array };
  stratos_record_boundary: { boundary: Boundary; uri: AtUri };
  stratos_seq: {
    seq: Generated<number>;
    did: Did;
    time: string;
    rev: Tid;
    /** JSON of the commit event, without record content. */
    event: string;
    proof: Uint8Array;
  };
  stratos_blob: {
    cid: Cid;
    mimeType: string;
    size: number;
    /** Where it lies until a record refers to it. */
    tempKey: string | null;
    createdAt: string;
    takedownRef: string | null;
  };
  stratos_record_blob: { blobCid: Cid; recordUri: AtUri };
  /** The greatest position in the stream of the repo that is no longer kept. */
  stratos_seq_floor: { did: Did; seq: number };
  stratos_signing_key: { did: Did; key: Uint8Array };
}
