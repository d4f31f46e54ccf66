import type { Boundary } from './boundary.ts';
import { ProofError } from './errors.ts';
import type { Did, DidKey } from './identifiers.ts';
import { keysOfEntry, type NodeKeyPeriod } from './key-history.ts';
import {
  type MembershipLogHead,
  type SignedMembershipEntry,
  verifyMembershipEntry,
} from './membership.ts';

/** What a log says of a person at its end. */
export interface MembershipStanding {
  active: boolean;
  /** All boundaries of the person, sorted. */
  boundaries: readonly Boundary[];
  /** The person's P-256 key at the node. */
  signingKey: DidKey;
  /** The entry that says so. */
  seq: number;
  issuedAt: Date;
}

export interface VerifiedMembershipLog {
  /** The last entry; undefined for an empty log. */
  head: MembershipLogHead | undefined;
  /** Everybody of whom the log speaks. */
  standings: ReadonlyMap<Did, MembershipStanding>;
}

export interface VerifyMembershipLogOptions {
  /** The node whose log it is. */
  service: Did;
  /** The node's keys, from its DID document. */
  keys: readonly DidKey[];
  /** Its verified history, which says which key may have signed which entry; `keys` do not count then. */
  history?: readonly NodeKeyPeriod[];
}

/**
 * Checks a whole log, from its first entry. Two logs of a node that both hold tell the same history as
 * far as the shorter one goes, if the longer one has its head.
 *
 * @throws {@link ProofError} at the first entry that does not hold, with the reason of
 * {@link verifyMembershipEntry}
 */
export async function verifyMembershipLog(
  entries: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { service, keys, history }: VerifyMembershipLogOptions,
): Promise<VerifiedMembershipLog> {
  const standings = new Map<Did, MembershipStanding>();
  let head: MembershipLogHead | undefined;
  for await (const bytes of entries) {
    const allowed = history ? keysOfEntry(history, (head?.seq ?? 0) + 1) : keys;
    const { entry, cid } = await verifyNext(bytes, { service, keys: allowed, previous: head });
    const { seq, did, active, boundaries, signingKey, issuedAt } = entry;
    standings.set(did, { active, boundaries, signingKey, seq, issuedAt });
    head = { seq, cid };
  }
  return { head, standings };
}

async function verifyNext(
  bytes: Uint8Array,
  options: Parameters<typeof verifyMembershipEntry>[1],
): Promise<SignedMembershipEntry> {
  try {
    return await verifyMembershipEntry(bytes, options);
  } catch (cause) {
    if (!(cause instanceof ProofError)) throw cause;
    const place = (options.previous?.seq ?? 0) + 1;
    throw new ProofError(cause.reason, `entry ${place}: ${cause.message}`, { cause });
  }
}
