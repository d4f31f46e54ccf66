import { encode } from '@atproto/lex-cbor';
import { type Boundary, sortedBoundaries } from './boundary.ts';
import type { Did, DidKey } from './identifiers.ts';
import { type SigningKey, verifySignature } from './signing-key.ts';

/** What a node says of a person in an enrollment record. */
export interface AttestedClaims {
  did: Did;
  boundaries: readonly Boundary[];
  /** The person's P-256 key at the node. */
  signingKey: DidKey;
}

/** The node's signature under the claims. */
export interface Attestation {
  sig: Uint8Array;
  /** The node's key, worth nothing unless the node's DID document has it. */
  signingKey: DidKey;
}

/** The bytes that are signed: DAG-CBOR of `{did, boundaries, signingKey}`, boundaries sorted. */
export function attestationPayload(claims: AttestedClaims): Uint8Array {
  return encode({
    did: claims.did,
    boundaries: sortedBoundaries(claims.boundaries),
    signingKey: claims.signingKey,
  });
}

export async function signAttestation(
  claims: AttestedClaims,
  nodeKey: SigningKey,
): Promise<Attestation> {
  return { sig: await nodeKey.sign(attestationPayload(claims)), signingKey: nodeKey.did() };
}

/** True if one of the node's own keys, from its DID document, made the attestation. */
export function verifyAttestation(
  attestation: Attestation,
  claims: AttestedClaims,
  nodeKeys: readonly DidKey[],
): boolean {
  if (!nodeKeys.includes(attestation.signingKey)) return false;
  return verifySignature(attestation.signingKey, attestationPayload(claims), attestation.sig);
}
