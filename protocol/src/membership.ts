import { encode } from '@atproto/lex-cbor';
import { parseCid } from '@atproto/lex-data';
import { zone } from '../generated/index.ts';
import { type Boundary, boundaryNode, isBoundary, sortedBoundaries } from './boundary.ts';
import { ProofError } from './errors.ts';
import { type Cid, type Did, type DidKey, isDid, isDidKey, toCid } from './identifiers.ts';
import { cidOf, decodeCanonicalMap, encodeBlock } from './record.ts';
import { type SigningKey, verifySignature } from './signing-key.ts';

/** One statement of a node about one person; see zone.stratos.membership.defs#entry. */
export interface MembershipEntry {
  /** From 1, without gaps. */
  seq: number;
  /** CID of the entry before, undefined in the first. */
  prev: Cid | undefined;
  /** The node. */
  service: Did;
  /** The person. */
  did: Did;
  active: boolean;
  /** All boundaries of the person from here on, sorted. */
  boundaries: readonly Boundary[];
  /** The person's P-256 key at the node. */
  signingKey: DidKey;
  issuedAt: Date;
}

export interface SignedMembershipEntry {
  entry: MembershipEntry;
  /** DAG-CBOR, exactly as signed and chained. */
  bytes: Uint8Array;
  /** What the next entry has as `prev`. */
  cid: Cid;
}

/** The entry of a node's log that was verified last. */
export interface MembershipLogHead {
  seq: number;
  cid: Cid;
}

/** Signs an entry with the node's key. */
export async function signMembershipEntry(
  entry: MembershipEntry,
  nodeKey: SigningKey,
): Promise<SignedMembershipEntry> {
  const sorted = { ...entry, boundaries: sortedBoundaries(entry.boundaries) };
  const unsigned = toWire(sorted);
  const block = await encodeBlock({ ...unsigned, sig: await nodeKey.sign(encode(unsigned)) });
  return { entry: sorted, ...block };
}

export interface VerifyMembershipOptions {
  /** The node whose log it is. */
  service: Did;
  /** The node's keys, from its DID document. */
  keys: readonly DidKey[];
  /** The entry before, undefined when this must be the first. */
  previous: MembershipLogHead | undefined;
}

/**
 * Checks that an entry is the node's own word and the next of its log.
 *
 * @throws {@link ProofError} `malformed`, `not-canonical`, `wrong-service`, `wrong-boundary`,
 * `bad-signature` or `broken-chain`
 */
export async function verifyMembershipEntry(
  bytes: Uint8Array,
  options: VerifyMembershipOptions,
): Promise<SignedMembershipEntry> {
  const { service, keys, previous } = options;
  const { entry, signed, sig } = readMembershipEntry(bytes);
  if (entry.service !== service)
    throw new ProofError('wrong-service', 'the entry is of another node');
  if (entry.boundaries.some((boundary) => boundaryNode(boundary) !== service)) {
    throw new ProofError('wrong-boundary', 'the entry grants a boundary of another node');
  }
  if (!keys.some((key) => verifySignature(key, signed, sig))) {
    throw new ProofError('bad-signature', 'the entry is not signed by the node');
  }
  if (entry.seq !== (previous?.seq ?? 0) + 1 || entry.prev !== previous?.cid) {
    throw new ProofError('broken-chain', 'the entry does not follow the one before');
  }
  return { entry, bytes, cid: await cidOf(bytes) };
}

/**
 * What an entry says, whoever signed it.
 *
 * @throws {@link ProofError} `malformed` or `not-canonical`
 */
export function readMembershipEntry(bytes: Uint8Array): {
  entry: MembershipEntry;
  /** What is signed. */
  signed: Uint8Array;
  sig: Uint8Array;
} {
  const { sig, ...unsigned } = parseEntry(bytes);
  return { entry: fromWire(unsigned), signed: encode(unsigned), sig };
}

const FIELDS = [
  'seq',
  'prev',
  'service',
  'did',
  'active',
  'boundaries',
  'signingKey',
  'issuedAt',
  'sig',
];

function parseEntry(bytes: Uint8Array) {
  const value = decodeCanonicalMap(bytes);
  const parsed = zone.stratos.membership.defs.entry.safeParse(value);
  if (!parsed.success || Object.keys(value).some((key) => !FIELDS.includes(key))) {
    throw new ProofError('malformed', 'not a membership entry');
  }
  const { $type: _, ...entry } = parsed.value;
  return entry;
}

type WireEntry = Omit<ReturnType<typeof parseEntry>, 'sig'>;

function toWire(entry: MembershipEntry): WireEntry {
  const { prev, issuedAt, boundaries, ...rest } = entry;
  return {
    ...rest,
    ...(prev && { prev: parseCid(prev) }),
    boundaries: [...boundaries],
    issuedAt: issuedAt.toISOString() as WireEntry['issuedAt'],
  };
}

function fromWire(wire: WireEntry): MembershipEntry {
  const { did, service, signingKey, boundaries } = wire;
  const isSorted = boundaries.every(
    (boundary, i) => i === 0 || (boundaries[i - 1] ?? '') < boundary,
  );
  if (
    !isDid(did) ||
    !isDid(service) ||
    !isDidKey(signingKey) ||
    !boundaries.every(isBoundary) ||
    !isSorted
  ) {
    throw new ProofError('malformed', 'not a membership entry');
  }
  return {
    seq: wire.seq,
    prev: wire.prev && toCid(wire.prev.toString()),
    service,
    did,
    active: wire.active,
    boundaries,
    signingKey,
    issuedAt: new Date(wire.issuedAt),
  };
}
