import { encode } from '@atproto/lex-cbor';
import type { LexValue } from '@atproto/lex-data';
import {
  type Attestation,
  type AttestedClaims,
  type Boundary,
  boundaryNode,
  type Did,
  type DidKey,
  decodeCanonicalMap,
  isBoundary,
  isDid,
  isDidKey,
  MAX_ENROLLMENT_BOUNDARIES,
  ProofError,
  signatureOf,
  sortedBoundaries,
  verifyAttestation,
} from '@stratos/protocol';
import { z } from 'zod';

/** What a node that keeps no log says of a member, and its signature under it. */
export interface AttestedMember extends AttestedClaims {
  attestation: Attestation;
}

/** The node whose word it is to be, and its keys from its DID document. */
export interface AttestingNode {
  did: Did;
  keys: readonly DidKey[];
}

const did = z.custom<Did>(isDid);
const signingKey = z.custom<DidKey>(isDidKey);
const boundary = z.custom<Boundary>(isBoundary);
const attestation = z.object({
  sig: z.custom<LexValue>().transform((sig, ctx) => {
    const bytes = signatureOf(sig);
    if (!bytes) ctx.addIssue('not a signature');
    return bytes ?? z.NEVER;
  }),
  signingKey,
});

const status = z.object({
  did,
  enrolled: z.boolean(),
  active: z.boolean().default(true),
  attestation: z.unknown().optional(),
});
const memberStatus = z.object({
  signingKey,
  boundaries: z.array(z.object({ value: boundary })).max(MAX_ENROLLMENT_BOUNDARIES),
  attestation,
});
const keptWord = z.object({ did, signingKey, active: z.boolean() });
const keptMember = z.object({ did, signingKey, boundaries: z.array(boundary), attestation });

/**
 * What a node answers when it is asked for somebody's enrollment.
 *
 * @returns undefined for who is not enrolled, or in no boundary: of them there is no attestation
 * @throws ProofError `malformed`, `wrong-actor`, `wrong-boundary` or `bad-signature`
 */
export function readStatus(
  body: unknown,
  did: Did,
  node: AttestingNode,
): AttestedMember | undefined {
  const said = read(status, body);
  if (said.did !== did) throw new ProofError('wrong-actor', 'the status is of somebody else');
  if (!said.enrolled || !said.active || said.attestation === undefined) return undefined;
  const { boundaries, ...rest } = read(memberStatus, body);
  const member = {
    did,
    ...rest,
    boundaries: sortedBoundaries(boundaries.map(({ value }) => value)),
  };
  checkMember(member, node);
  return member;
}

/** @throws ProofError `wrong-boundary` or `bad-signature` */
export function checkMember(member: AttestedMember, node: AttestingNode): void {
  if (member.boundaries.some((each) => boundaryNode(each) !== node.did)) {
    throw new ProofError('wrong-boundary', 'the node attests a boundary of another node');
  }
  if (!verifyAttestation(member.attestation, member, node.keys)) {
    throw new ProofError('bad-signature', 'the attestation is not signed by the node');
  }
}

/** The attestation as it is kept in the place of an entry of a log. */
export function encodeMember({ attestation, boundaries, ...rest }: AttestedMember): Uint8Array {
  return encode({
    ...rest,
    active: true,
    boundaries: [...boundaries],
    attestation: { ...attestation },
  });
}

/** The same of somebody who is no member, which nothing has to show. */
export function encodeStranger(did: Did, signingKey: DidKey): Uint8Array {
  return encode({ did, signingKey, active: false, boundaries: [] });
}

/** What is kept of somebody in the place of an entry of a log. */
export interface KeptWord {
  did: Did;
  signingKey: DidKey;
  /** Undefined for who is no member. */
  member: AttestedMember | undefined;
}

/**
 * @returns undefined for an entry of a log
 * @throws ProofError `malformed` or `not-canonical`
 */
export function decodeWord(bytes: Uint8Array): KeptWord | undefined {
  const map = decodeCanonicalMap(bytes);
  if (map['seq'] !== undefined) return undefined;
  const { active, did, signingKey } = read(keptWord, map);
  return { did, signingKey, member: active ? read(keptMember, map) : undefined };
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ProofError('malformed', 'not the status of an enrollment');
}
