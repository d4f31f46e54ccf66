import type { AtUri, Boundary, Cid, Did, Tid } from '@stratos/protocol';
import type { BlobReader, BlobTransactor } from './actor-blobs.ts';

/** The newest commit of a repo. */
export interface RepoRoot {
  cid: Cid;
  rev: Tid;
}

/** A record as it is stored: its row and its block. */
export interface StoredRecord {
  uri: AtUri;
  cid: Cid;
  collection: string;
  rkey: string;
  /** Revision of the repo that wrote it. */
  rev: Tid;
  bytes: Uint8Array;
}

/** What a record says, and how it is checked. */
export type RecordContent = Pick<StoredRecord, 'uri' | 'cid' | 'bytes'>;

/** How a record is stored, taken down or not, without its content. */
export interface RecordStanding {
  uri: AtUri;
  cid: Cid;
  /** Revision of the repo that wrote it. */
  rev: Tid;
  boundaries: Boundary[];
  isTakenDown: boolean;
}

/** Part of a collection, in the order of record keys. */
export interface RecordPage {
  collection: string;
  limit: number;
  /** Record key beyond which to go on. */
  after: string | undefined;
  /** From the greatest key to the least. */
  descending: boolean;
  /** Those in at least one of these boundaries; all if undefined. */
  boundaries: readonly Boundary[] | undefined;
}

/** One change to one record, as the event log keeps it. */
export interface EventOp {
  action: 'create' | 'update' | 'delete';
  /** `{collection}/{rkey}` */
  path: string;
  cid?: Cid;
  prev?: Cid;
  boundaries?: Boundary[];
  prevBoundaries?: Boundary[];
}

/** What is to happen on the person's PDS because of a commit. */
export type StubChange =
  | { action: 'put'; collection: string; rkey: string; stub: Record<string, unknown> }
  | { action: 'delete'; collection: string; rkey: string };

/** A commit as the event log keeps it: everything needed to publish it, and no record content. */
export interface CommitEvent {
  time: string;
  rev: Tid;
  commit: Cid;
  since?: Tid;
  prevData?: Cid;
  ops: EventOp[];
  stubs?: StubChange[];
  /** CAR with the commit and the tree nodes that prove the operations and their inverse. */
  proof: Uint8Array;
}

/** All that one commit changes in an actor's store. */
export interface RepoCommit {
  root: RepoRoot;
  newBlocks: Iterable<readonly [Cid, Uint8Array]>;
  /** Blocks that the tree no longer reaches; those that another record still has are kept. */
  removedCids: readonly Cid[];
  event: CommitEvent;
}

/** A block of a repo and the revision that wrote it. */
export interface StoredBlock {
  cid: Cid;
  rev: Tid;
  bytes: Uint8Array;
}

/** Part of the blocks of a repo, by revision and CID. */
export interface BlockPage {
  /** The block to go on after; either may be empty, to begin with a revision or with the first. */
  after: { rev: string; cid: string };
  limit: number;
}

/** Reads one actor's store, on one snapshot. */
export interface ActorReader {
  readonly did: Did;
  readonly blobs: BlobReader;
  /** The P-256 key by which this repo's commits are signed, as it was put there. */
  signingKey(): Promise<Uint8Array>;
  root(): Promise<RepoRoot | undefined>;
  block(cid: Cid): Promise<Uint8Array | undefined>;
  /** Those of the blocks that there are. */
  blocks(cids: readonly Cid[]): Promise<Map<Cid, Uint8Array>>;
  /** Every block that is stored. */
  blockCids(): Promise<Cid[]>;
  blockPage(page: BlockPage): Promise<StoredBlock[]>;
  /** Records by address with their content, those that exist and are not taken down. */
  records(uris: readonly AtUri[]): Promise<Map<AtUri, StoredRecord>>;
  record(uri: AtUri): Promise<StoredRecord | undefined>;
  /** The same, of many, and no more than what they say. */
  contents(uris: readonly AtUri[]): Promise<RecordContent[]>;
  /** A page of a collection's records with their content, none that are taken down. */
  recordPage(page: RecordPage): Promise<StoredRecord[]>;
  /** What there is at addresses, taken down or not. */
  standings(uris: readonly AtUri[]): Promise<Map<AtUri, RecordStanding>>;
  /** A record that was taken down, and is kept so that it can be put back. */
  takenDownRecord(uri: AtUri): Promise<StoredRecord | undefined>;
  /** Collections that have a record. */
  collections(): Promise<string[]>;
  /** Events after a position of this actor's log, oldest first. */
  eventsAfter(seq: number, limit: number): Promise<Map<number, CommitEvent>>;
  events(seqs: readonly number[]): Promise<Map<number, CommitEvent>>;
  /** The newest event that is still kept. */
  newestEvent(): Promise<[seq: number, event: CommitEvent] | undefined>;
  /** What the last {@link ActorTransactor.forgetEvents} said; 0 while nothing was forgotten. */
  eventFloor(): Promise<number>;
  /** The commit that made revision `rev`, as long as it is the newest or its event is kept. */
  commitOf(rev: Tid): Promise<Cid | undefined>;
}

/** Reads and writes one actor's store within one transaction. */
export interface ActorTransactor extends ActorReader {
  readonly blobs: BlobTransactor;
  /** Keeps the key that is there already, if there is one. */
  putSigningKey(key: Uint8Array): Promise<void>;
  /** Stores the key that is there another way. */
  replaceSigningKey(key: Uint8Array): Promise<void>;
  /**
   * Applies a commit: blocks, root, record rows and the row of the event log. Content of deleted
   * and replaced records goes at once.
   *
   * @returns the commit's position in the actor's log
   */
  applyCommit(commit: RepoCommit): Promise<number>;
  /** Deletes events up to a position, and remembers `floor` unless it knows of a greater one. */
  forgetEvents(seq: number, floor: number): Promise<void>;
  /** Keeps a record that a commit has just taken out of the repo; its key stays taken. */
  putTakenDown(record: StoredRecord, takedownRef: string): Promise<void>;
  /** Leaves nothing of records that were taken down. */
  removeTakenDown(uris: readonly AtUri[]): Promise<void>;
}

/** An actor's store as it is at one moment, on a handle of its own: nobody waits for it to be closed. */
export interface ActorSnapshot extends AsyncDisposable {
  readonly actor: ActorReader;
}

/** The stores of all actors, each its own database, opened when needed. */
export interface ActorStorage extends AsyncDisposable {
  /** Databases that are open now, where each actor has one of their own. */
  readonly openDatabases?: number;
  /** Makes the store of an actor with its signing key, or leaves the one that exists as it is. */
  create(did: Did, signingKey: Uint8Array): Promise<void>;
  /** Runs `read` on one snapshot of the actor's store; undefined if the actor has none. */
  read<T>(did: Did, read: (actor: ActorReader) => Promise<T>): Promise<T | undefined>;
  /** Those of some records that the actor has, as of one moment; undefined if there is no such actor. */
  contents(did: Did, uris: readonly AtUri[]): Promise<RecordContent[] | undefined>;
  /** Runs `write` in one transaction. Throws {@link UnknownActorError} if the actor has no store. */
  write<T>(did: Did, write: (actor: ActorTransactor) => Promise<T>): Promise<T>;
  /** For reading at the pace of somebody else; undefined if the actor has no store. */
  snapshot(did: Did): Promise<ActorSnapshot | undefined>;
  /** Leaves nothing of what was deleted in the actor's files. */
  scrub(did: Did): Promise<void>;
  /** Leaves nothing of the actor at all. */
  destroy(did: Did): Promise<void>;
}

/** An actor whose store does not exist. */
export class UnknownActorError extends Error {
  override name = 'UnknownActorError';
}
