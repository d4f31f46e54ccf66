import type { NodeSavedSession, NodeSavedState } from '@atproto/oauth-client-node';
import type { Boundary, Cid, Did, DidKey, ReplayStore } from '@stratos/protocol';
import type { StubChange } from './actor-storage.ts';

/** A person's standing at this node. */
export interface Enrollment {
  did: Did;
  enrolledAt: string;
  pdsEndpoint: string | undefined;
  /** The P-256 key of the person's repo here. */
  signingKey: DidKey;
  /** False for those who left, and for those whose account is taken down. */
  active: boolean;
  boundaries: Boundary[];
}

/** Whether somebody's records are to be read by others: those of members who are not taken down. */
export interface AccountStanding {
  /** Whether they are enrolled, taken down or not. */
  active: boolean;
  /** The whole account, by the operator. */
  isTakenDown: boolean;
}

/** How many people there are. */
export interface EnrollmentCount {
  enrolled: number;
  /** Those who were and are not any more. */
  left: number;
}

/** Who is enrolled, and in what. */
export interface EnrollmentStore {
  count(): Promise<EnrollmentCount>;
  get(did: Did): Promise<Enrollment | undefined>;
  /** Everybody after a DID, those who left as well, by DID. */
  after(did: string, limit: number): Promise<Enrollment[]>;
  put(enrollment: Enrollment & { enrollmentRkey: string }): Promise<void>;
  /** Leaves of the person's standing only that there was one, and when it ended. */
  deactivate(did: Did): Promise<void>;
  /** @param takedownRef - what the operator knows the matter by; null puts the account back */
  setTakedown(did: Did, takedownRef: string | null): Promise<void>;
  /** People who left before a time and are not forgotten, those who did first. */
  leftBefore(before: string, limit: number): Promise<Did[]>;
  hasLeftBefore(did: Did, before: string): Promise<boolean>;
  /** Lets those of whom it is not known when they left have left at a time. */
  noteDepartures(leftAt: string): Promise<void>;
  /** Leaves nothing of a person's standing, except that their account is taken down. */
  forget(did: Did): Promise<void>;
  setBoundaries(did: Did, boundaries: readonly Boundary[]): Promise<void>;
  /** How those of the people stand who are or were enrolled. */
  standings(dids: readonly Did[]): Promise<Map<Did, AccountStanding>>;
  /** How many are enrolled now. */
  countActive(): Promise<number>;
}

/** A place in the chain of membership entries. */
export interface LogPosition {
  seq: number;
  cid: Cid;
}

/** An entry of the membership log with the entry of the same person before it. */
export interface MembershipChange {
  seq: number;
  entry: Uint8Array;
  before: Uint8Array | undefined;
}

/** The append-only, hash-chained log of memberships. */
export interface MembershipLog {
  /** The newest entry; undefined while the log is empty. */
  head(): Promise<LogPosition | undefined>;
  append(row: LogPosition & { did: Did; entry: Uint8Array; issuedAt: string }): Promise<void>;
  /** Entries after a position, in order. */
  after(seq: number, limit: number): Promise<(LogPosition & { entry: Uint8Array })[]>;
  /** Entries after a position, in order, each with what it changed. */
  changesAfter(seq: number, limit: number): Promise<MembershipChange[]>;
  /** The bytes of all entries about a person, oldest first. */
  entriesOf(did: Did): Promise<Uint8Array[]>;
  /** The bytes of entries, exactly as signed. */
  entries(seqs: readonly number[]): Promise<Map<number, Uint8Array>>;
}

/** One position of the node's stream, pointing to what happened. */
export interface LogEvent {
  seq: number;
  did: Did;
  kind: 'commit' | 'membership';
  /** Position in the actor's own log, or in the membership log. */
  ref: number;
  time: string;
}

/** The order of everything that happened on the node. */
export interface EventLog {
  /** Newest position, whether it is still kept or not; 0 while there never was one. */
  head(): Promise<number>;
  /** The greatest position that is no longer kept; 0 while all of it is. */
  floor(): Promise<number>;
  /** Says that nothing up to a position is to be read any more. It never goes down. */
  raiseFloor(seq: number): Promise<void>;
  /** Deletes what is not above the floor. */
  deleteBelowFloor(): Promise<void>;
  /** Deletes the commits of an actor whose store is gone. */
  deleteCommitsOf(did: Did): Promise<void>;
  /** Appends unless this very event is there already. */
  append(event: Omit<LogEvent, 'seq'>): Promise<void>;
  /** Events after a position, in order. None that is seen is ever preceded by one that comes later. */
  after(seq: number, limit: number): Promise<LogEvent[]>;
}

/** How much of each actor's own log has reached the node's stream, and whose must be looked at. */
export interface PublicationStore {
  /** The last position of the actor's log that is published; 0 if none is. */
  publishedSeq(did: Did): Promise<number>;
  advance(did: Did, publishedSeq: number): Promise<void>;
  /** Says, before the first write to an actor's store, that it may come to hold unpublished commits. */
  markDirty(did: Did): Promise<void>;
  /** Actors that a process marked which is gone. */
  dirtyActors(): Promise<Did[]>;
  /** Says that nothing is left unpublished of an actor that {@link dirtyActors} named. */
  recovered(did: Did): Promise<void>;
  /** Takes back what this process said with {@link markDirty}. */
  markClean(did: Did): Promise<void>;
}

/** Something to be done on a person's PDS. */
export type OutboxJob =
  | { kind: 'stub'; change: StubChange }
  | { kind: 'enrollment' }
  /** Gives back the person's session, unless it is younger than `asOf`. */
  | { kind: 'sign-out'; asOf: string };

/** The oldest job of a person, which must be done before any other of theirs. */
export interface OutboxHead {
  id: number;
  did: Did;
  job: OutboxJob;
  attempts: number;
  /** Milliseconds since the epoch. */
  dueAt: number;
  parkedReason: string | null;
  /** Empty if it is not known. */
  pdsEndpoint: string;
}

/** A job as the operator sees it. */
export type WaitingJob = Omit<OutboxHead, 'pdsEndpoint'>;

export interface ListJobs {
  /** Of everybody if undefined. */
  did: Did | undefined;
  parkedOnly: boolean;
  /** Position of the last job seen. */
  after: number;
  limit: number;
}

/** How much waits for people's PDSes. */
export interface OutboxSummary {
  waiting: number;
  /** Of those, the parked ones and all that wait behind them. */
  parked: number;
  /** When the oldest job that is not parked was made. */
  oldest: string | undefined;
  /** Milliseconds since the epoch from which the most overdue job could have been tried. */
  dueSince: number | undefined;
}

/** Jobs that wait for people's PDSes, in order per person. */
export interface OutboxStore {
  /**
   * Reserves a person's jobs for this process, until what it returns is disposed of or the process
   * ends. Undefined if another process has them.
   */
  claim(did: Did): Promise<AsyncDisposable | undefined>;
  add(did: Did, job: OutboxJob): Promise<void>;
  /** The oldest job of each person, unless it is parked, soonest first. */
  heads(
    limit: number,
    except: { people: readonly Did[]; pdses: readonly string[] },
  ): Promise<OutboxHead[]>;
  head(did: Did): Promise<OutboxHead | undefined>;
  /** Drops a job that is done, and returns the next of the person. */
  done(job: Pick<OutboxHead, 'did' | 'id'>): Promise<OutboxHead | undefined>;
  retry(id: number, attempts: number, dueAt: number): Promise<void>;
  /** Puts a job, and with it all later ones of the person, aside until {@link unpark}. */
  park(id: number, parkedReason: string): Promise<void>;
  unpark(did: Did): Promise<void>;
  /** Takes parked jobs up again, of one person or of all. Returns how many. */
  requeue(did: Did | undefined): Promise<number>;
  /** Jobs after a position, oldest first. */
  list(options: ListJobs): Promise<WaitingJob[]>;
  count(did: Did): Promise<number>;
  /** Drops all jobs of a person. */
  clear(did: Did): Promise<void>;
  summary(): Promise<OutboxSummary>;
}

export interface OAuthSessionRow {
  session: NodeSavedSession;
  createdAt: string;
}

/** Sessions with people's PDSes, and flows on the way to one. */
export interface OAuthStore {
  state(key: string): Promise<NodeSavedState | undefined>;
  putState(key: string, state: NodeSavedState): Promise<void>;
  deleteState(key: string): Promise<void>;
  session(key: string): Promise<NodeSavedSession | undefined>;
  /** A session with the time at which it was given, which a refresh does not change. */
  sessionOf(key: string): Promise<OAuthSessionRow | undefined>;
  putSession(key: string, session: NodeSavedSession): Promise<void>;
  /** Writes a session another way, unless it is no longer what was read. */
  replaceSession(key: string, read: NodeSavedSession, next: NodeSavedSession): Promise<boolean>;
  /** @param createdAt - leaves a session that was given at any other time */
  deleteSession(key: string, createdAt?: string): Promise<void>;
}

/** One thing that somebody did, or tried to do, as operator. */
export interface AuditEntry {
  address: string;
  /** NSID of the method. */
  action: string;
  did?: string;
  detail?: string;
  outcome: 'done' | 'refused';
}

/** What operators did, append-only. */
export interface AuditLog {
  append(entry: AuditEntry): Promise<void>;
  newest(limit: number): Promise<(AuditEntry & { time: string })[]>;
}

/** A key of the node and the time in which it signed. */
export interface NodeKeyRow {
  key: DidKey;
  validFrom: string;
  /** Absent while it is in use. */
  validUntil?: string;
  /** First entry of the membership log that it may sign. */
  membershipSeq: number;
  /** By the key before it; absent for the first. */
  sig?: Uint8Array;
}

/** The keys that the node has signed with, of which one is in use. */
export interface NodeKeyStore {
  /** All of them, oldest first. */
  history(): Promise<NodeKeyRow[]>;
  current(): Promise<DidKey | undefined>;
  /** True if `key` is in use, which it then stays until the transaction ends. */
  hold(key: DidKey): Promise<boolean>;
  /**
   * Changes nothing while another key is in use.
   *
   * @param sealed - the private key, encrypted, where no file has it
   */
  begin(row: NodeKeyRow, sealed?: Uint8Array): Promise<void>;
  /** Ends the use of a key, and forgets the private key if it is kept here. */
  end(key: DidKey, validUntil: string): Promise<void>;
  /** The encrypted private key, if it is kept here. */
  sealed(key: DidKey): Promise<Uint8Array | undefined>;
  /** How far enrollment records have been queued anew for the key in use; undefined when all are. */
  republishAfter(): Promise<string | undefined>;
  setRepublishAfter(did: Did | undefined): Promise<void>;
}

/** What the encryption of keys needs beside the operator's secret. */
export interface VaultRow {
  salt: Uint8Array;
  /** Something known, encrypted, by which a wrong secret is found out. */
  canary: Uint8Array;
}

/** Whether keys are encrypted here, and how. */
export interface VaultStore {
  get(): Promise<VaultRow | undefined>;
  /** Keeps what is there already. */
  create(row: VaultRow): Promise<void>;
  /** When everything that was there before had been encrypted. */
  sealedAt(): Promise<string | undefined>;
  setSealedAt(time: string): Promise<void>;
}

/** What the node keeps beside the repos. */
export interface ServiceStores {
  readonly enrollments: EnrollmentStore;
  readonly memberships: MembershipLog;
  readonly events: EventLog;
  readonly publications: PublicationStore;
  readonly outbox: OutboxStore;
  readonly oauth: OAuthStore;
  readonly replay: ReplayStore;
  readonly audit: AuditLog;
  readonly nodeKeys: NodeKeyStore;
  readonly vault: VaultStore;
}

/** A commit of an actor's log on its way into the node's stream. */
export interface PublishedCommit {
  did: Did;
  /** Its position in the actor's log. */
  seq: number;
  time: string;
  stubs: readonly StubChange[];
}

/** The service database. Outside of {@link ServiceStorage.transact} each call stands alone. */
export interface ServiceStorage extends ServiceStores, AsyncDisposable {
  /** Runs `task` in one transaction; it must use the stores that it is given, and no others. */
  transact<T>(task: (stores: ServiceStores) => Promise<T>): Promise<T>;
  /**
   * Carries a commit into the stream and the outbox, and returns true once that is durable. False,
   * with nothing done, for one that does not follow the last that was published of its actor.
   */
  publishNext(commit: PublishedCommit): Promise<boolean>;
}
