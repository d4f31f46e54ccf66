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
  active: boolean;
  boundaries: Boundary[];
}

/** Who is enrolled, and in what. */
export interface EnrollmentStore {
  get(did: Did): Promise<Enrollment | undefined>;
  /** Everybody after a DID, those who left as well, by DID. */
  after(did: string, limit: number): Promise<Enrollment[]>;
  put(enrollment: Enrollment & { enrollmentRkey: string }): Promise<void>;
  /** Leaves of the person's standing only that there was one. */
  deactivate(did: Did): Promise<void>;
  setBoundaries(did: Did, boundaries: readonly Boundary[]): Promise<void>;
}

/** A place in the chain of membership entries. */
export interface LogPosition {
  seq: number;
  cid: Cid;
}

/** The append-only, hash-chained log of memberships. */
export interface MembershipLog {
  /** The newest entry; undefined while the log is empty. */
  head(): Promise<LogPosition | undefined>;
  append(row: LogPosition & { did: Did; entry: Uint8Array; issuedAt: string }): Promise<void>;
  /** Entries after a position, in order. */
  after(seq: number, limit: number): Promise<(LogPosition & { entry: Uint8Array })[]>;
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
  /** Newest position, 0 while the log is empty. */
  head(): Promise<number>;
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
  dirtyActors(): Promise<Did[]>;
  /** Says that an actor's store holds nothing unpublished. */
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

/** Jobs that wait for people's PDSes, in order per person. */
export interface OutboxStore {
  add(did: Did, job: OutboxJob): Promise<void>;
  /** The oldest job of each person, unless it is parked, soonest first. */
  heads(
    limit: number,
    except: { people: readonly Did[]; pdses: readonly string[] },
  ): Promise<OutboxHead[]>;
  head(did: Did): Promise<OutboxHead | undefined>;
  done(id: number): Promise<void>;
  retry(id: number, attempts: number, dueAt: number): Promise<void>;
  /** Puts a job, and with it all later ones of the person, aside until {@link unpark}. */
  park(id: number, parkedReason: string): Promise<void>;
  unpark(did: Did): Promise<void>;
  /** Takes parked jobs up again, of one person or of all. Returns how many. */
  requeue(did: Did | undefined): Promise<number>;
  /** Jobs after a position, oldest first. */
  list(options: ListJobs): Promise<WaitingJob[]>;
  count(did: Did): Promise<number>;
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
}

/** The service database. Outside of {@link ServiceStorage.transact} each call stands alone. */
export interface ServiceStorage extends ServiceStores, AsyncDisposable {
  /** Runs `task` in one transaction; it must use the stores that it is given, and no others. */
  transact<T>(task: (stores: ServiceStores) => Promise<T>): Promise<T>;
}
