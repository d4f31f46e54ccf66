import { boundaryNode, ProofError, readMembershipEntry, verifySignature } from '@stratos/protocol';
import { checkMember, decodeWord, type KeptWord } from '../nodes/records/attested-member.ts';
import type { FlawKind } from './flaw.ts';
import type { KeysOfEntry } from './node-keys.ts';
import type { StoredPerson } from './stored-person.ts';

/** @param keysOfEntry - undefined where signatures are not to be looked at */
export function* checkMembership(
  person: StoredPerson,
  keysOfEntry: KeysOfEntry | undefined,
): Generator<FlawKind> {
  const { did, nodeDid, member } = person;
  if (!member) return yield 'no-membership';
  const stored = member.boundaries.map(({ boundary }) => boundary);
  if (!member.entry) {
    // @NOTE nothing follows from somebody who is no member
    if (member.active || stored.length > 0) yield 'no-statement';
    return;
  }
  const bytes = member.entry;
  const kept = orUndefined(() => decodeWord(bytes));
  if (kept) return yield* checkAttested(person, kept, keysOfEntry);
  const read = orUndefined(() => readMembershipEntry(bytes));
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
  if (!isHeld(person, entry.active ? entry.boundaries : [])) yield 'wrong-memberships';
}

/** The same of who is a member by an attestation, at a node that keeps no log. */
function* checkAttested(
  person: StoredPerson,
  { did, signingKey, member }: KeptWord,
  keysOfEntry: KeysOfEntry | undefined,
): Generator<FlawKind> {
  if (did !== person.did) yield 'bad-statement';
  const keys = keysOfEntry?.(Number.POSITIVE_INFINITY);
  if (member && keys) yield* flawOf(() => checkMember(member, { did: person.nodeDid, keys }));
  const isSame =
    person.member?.active === (member !== undefined) && person.member.signingKey === signingKey;
  if (!isSame) yield 'statement-differs';
  if (!isHeld(person, member?.boundaries ?? [])) yield 'wrong-memberships';
}

/** Whether somebody is a member of what is granted, and of nothing else. */
function isHeld({ member, heldBoundaries }: StoredPerson, granted: readonly string[]): boolean {
  const stored = member?.boundaries.map(({ boundary }) => boundary) ?? [];
  const expected = new Set(granted.filter((boundary) => !heldBoundaries.has(boundary)));
  return stored.length === expected.size && stored.every((boundary) => expected.has(boundary));
}

function* flawOf(check: () => void): Generator<FlawKind> {
  try {
    check();
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    yield error.reason === 'bad-signature' ? 'statement-signature' : 'bad-statement';
  }
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProofError) return undefined;
    throw error;
  }
}
