import { boundaryNode, ProofError, readMembershipEntry, verifySignature } from '@stratos/protocol';
import type { FlawKind } from './flaw.ts';
import type { KeysOfEntry } from './node-keys.ts';
import type { StoredPerson } from './stored-person.ts';

/** @param keysOfEntry - undefined where signatures are not to be looked at */
export function* checkMembership(
  { did, nodeDid, member, heldBoundaries }: StoredPerson,
  keysOfEntry: KeysOfEntry | undefined,
): Generator<FlawKind> {
  if (!member) return yield 'no-membership';
  const stored = member.boundaries.map(({ boundary }) => boundary);
  if (!member.entry) {
    // @NOTE nothing follows from somebody who is no member
    if (member.active || stored.length > 0) yield 'no-statement';
    return;
  }
  const read = readEntry(member.entry);
  if (!read) return yield 'bad-statement';
  const { entry, signed, sig } = read;
  const isOfNode = entry.boundaries.every((boundary) => boundaryNode(boundary) === nodeDid);
  if (entry.did !== did || entry.service !== nodeDid || !isOfNode) yield 'bad-statement';
  const keys = keysOfEntry?.(entry.seq);
  if (keys && !keys.some((key) => verifySignature(key, signed, sig))) yield 'statement-signature';
  const isSame =
    entry.active === member.active &&
    BigInt(entry.seq) === member.seq &&
    entry.signingKey === member.signingKey &&
    entry.issuedAt.getTime() === member.issuedAt.getTime();
  if (!isSame) yield 'statement-differs';
  const granted: readonly string[] = entry.active ? entry.boundaries : [];
  const expected = new Set(granted.filter((boundary) => !heldBoundaries.has(boundary)));
  const isStated = stored.every((boundary) => expected.has(boundary));
  if (!isStated || stored.length !== expected.size) yield 'wrong-memberships';
}

function readEntry(bytes: Uint8Array): ReturnType<typeof readMembershipEntry> | undefined {
  try {
    return readMembershipEntry(bytes);
  } catch (error) {
    if (error instanceof ProofError) return undefined;
    throw error;
  }
}
