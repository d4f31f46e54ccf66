import {
  type AttestedClaims,
  type DidKey,
  isBoundary,
  isDidKey,
  verifyAttestation,
} from '@stratos/protocol';
import type { zone } from '@stratos/protocol/lexicons';

type Status = zone.stratos.enrollment.status.$OutputBody;

/** What a node says of a person, in the form in which it signs it. */
export function claimsOf({ did, boundaries = [], signingKey }: Status): AttestedClaims {
  if (!isDidKey(signingKey)) throw new Error('the status has no key of the person');
  const values = boundaries.map(({ value }) => value);
  if (!values.every(isBoundary)) throw new Error('the status has what is no boundary');
  return { did: did as AttestedClaims['did'], boundaries: values, signingKey };
}

/** Whether the attestation of one status holds for the claims of another, or of the same. */
export function isAttested(claimed: Status, by: Status, nodeKeys: readonly DidKey[]): boolean {
  const { attestation } = by;
  if (!attestation || !isDidKey(attestation.signingKey)) return false;
  const { sig, signingKey } = attestation;
  return verifyAttestation({ sig, signingKey }, claimsOf(claimed), nodeKeys);
}
