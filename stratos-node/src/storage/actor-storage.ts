import type { AtUri, Boundary, Cid, Did, Tid } from '@stratos/protocol';

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

/** Reads one actor's store, on one snapshot. */
export interface ActorReader {
  readonly did: Did;
  /** The P-256 key by which this repo's commits are signed, as it was put there. */
  signingKey(): Promise<Uint8Array>;
  root(): Promise<RepoRoot | undefined>;
  block(cid: Cid): Promise<Uint8Array | undefined>;
  /** Those of the blocks that there are. */
  blocks(cids: readonly Cid[]): Promise<Map<Cid, Uint8Array>>;
  /** Every block that is stored. */
  blockCids(): Promise<Cid[]>;
  /** Records by address with their content, those that exist and are not taken down. */
  records(uris: readonly AtUri[]): Promise<Map<AtUri, StoredRecord>>;
  record(uri: AtUri): Promise<StoredRecord | undefined>;
  /** A page of a collection's records with their content, none that are taken down. */
  recordPage(page: RecordPage): Promise<StoredRecord[]>;
  /** What there is at addresses, taken down or not. */
  standings(uris: readonly AtUri[]): Promise<Map<AtUri, RecordStanding>>;
  /** Collections that have a record. */
  collections(): Promise<string[]>;
  /** Events after a position of this actor's log, oldest first. */
  eventsAfter(seq: number, limit: number): Promise<Map<number, CommitEvent>>;
  events(seqs: readonly number[]): Promise<Map<number, CommitEvent>>;
  /** The commit that made revision `rev`. */
  commitOf(rev: Tid): Promise<Cid | undefined>;
}

/** Reads and writes one actor's store within one transaction. */
export interface ActorTransactor extends ActorReader {
  /** Keeps the key that is there already, if there is one. */
  putSigningKey(key: Uint8Array): Promise<void>;
  /**
   * Applies a commit: blocks, root, record rows and the row of the event log. Content of deleted
   * and replaced records goes at once.
   *
   * @returns the commit's position in the actor's log
   */
  applyCommit(commit: RepoCommit): Promise<number>;
}

/** The stores of all actors, each its own database, opened when needed. */
export interface ActorStorage extends AsyncDisposable {
  /** Makes the store of an actor with its signing key, or leaves the one that exists as it is. */
  create(did: Did, signingKey: Uint8Array): Promise<void>;
  /** Runs `read` on one snapshot of the actor's store; undefined if the actor has none. */
  read<T>(did: Did, read: (actor: ActorReader) => Promise<T>): Promise<T | undefined>;
  /** Runs `write` in one transaction. Throws {@link UnknownActorError} if the actor has no store. */
  write<T>(did: Did, write: (actor: ActorTransactor) => Promise<T>): Promise<T>;
  /** Leaves nothing of what was deleted in the actor's files. */
  scrub(did: Did): Promise<void>;
}

/** An actor whose store does not exist. */
export class UnknownActorError extends Error {
  override name = 'UnknownActorError';
}
