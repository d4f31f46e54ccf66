import type { Boundary, Cid, Did, DidKey } from '@stratos/protocol';
import type { Generated } from 'kysely';

/** Tables of the service database. */
export interface ServiceTables {
  enrollment: {
    did: Did;
    enrolledAt: string;
    pdsEndpoint: string | null;
    signingKeyDid: DidKey;
    active: 'true' | 'false';
    enrollmentRkey: string | null;
    /** Why the whole account is taken down; null if it is not. */
    takedownRef: string | null;
    /** When the person left; null for those who are here, or who left before this was written down. */
    leftAt: string | null;
  };
  enrollment_boundary: { did: Did; boundary: Boundary };
  membership_log: { seq: number; did: Did; cid: Cid; entry: Uint8Array; issuedAt: string };
  service_seq: {
    seq: Generated<number>;
    did: Did;
    kind: 'commit' | 'membership';
    /** Position in the actor's own log, or in the membership log. */
    ref: number;
    time: string;
  };
  /** The greatest position of a stream that is no longer kept. */
  service_seq_floor: { stream: string; seq: number };
  /** The keys that the node has signed with. */
  node_key: {
    key: DidKey;
    validFrom: string;
    validUntil: string | null;
    /** First entry of the membership log that it may sign. */
    membershipSeq: number;
    /** By the key before it; null for the first. */
    sig: Uint8Array | null;
    /** The private key, encrypted, where no file has it. */
    secret: Uint8Array | null;
    /** How far enrollment records have been queued anew; null when all are. */
    republishAfter: string | null;
  };
  /** One row, if keys are encrypted. */
  key_vault: { id: number; salt: Uint8Array; canary: Uint8Array; sealedAt: string | null };
  actor_publication: { did: Did; publishedSeq: number; dirty: number };
  outbox: {
    id: Generated<number>;
    did: Did;
    job: string;
    attempts: number;
    /** Milliseconds since the epoch. */
    dueAt: number;
    parkedReason: string | null;
    createdAt: string;
  };
  oauth_state: { key: string; state: string; createdAt: string };
  oauth_session: { key: string; session: string; createdAt: string; updatedAt: string };
  replay: { id: string; expiresAt: number };
  admin_audit: {
    id: Generated<number>;
    time: string;
    address: string;
    action: string;
    did: string | null;
    detail: string | null;
    outcome: string;
  };
}
