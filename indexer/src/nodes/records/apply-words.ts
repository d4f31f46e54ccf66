import { type Did, type MembershipEntry, ProofError } from '@stratos/protocol';
import { lockNodeState } from '../../applying/node-state.ts';
import { type Member, readStandings, type Standing, UNKNOWN } from '../../applying/standing.ts';
import { Verdict } from '../../applying/verdict.ts';
import { writeVerdict } from '../../applying/write-verdict.ts';
import { type Database, inTransaction, lockActorsAtNode } from '../../database.ts';
import type { Fence } from '../../followers/fence.ts';
import { type AttestedMember, encodeMember, encodeStranger } from './attested-member.ts';

/** What a node that keeps no log says of people; undefined of who is no member, and why not if it lied. */
export type Words = ReadonlyMap<Did, AttestedMember | ProofError | undefined>;

export interface WordsPlace {
  db: Database;
  nodeDid: Did;
  fence?: Fence | undefined;
}

/**
 * Makes people members as a node says, or has them be none. What they wrote is fetched when they become
 * one, for nothing else says it.
 *
 * @throws TakenOverError
 */
export async function applyWords({ db, nodeDid, fence }: WordsPlace, words: Words): Promise<void> {
  const dids = [...words.keys()];
  const known = await readStandings(db, dids, nodeDid);
  const isNews = dids.some((did) => isOther(words.get(did), known.get(did)?.member));
  if (!isNews) return;
  await inTransaction(db, async (tx) => {
    const node = await lockNodeState(tx, nodeDid, fence);
    await lockActorsAtNode(tx, dids, nodeDid);
    const people = await readStandings(tx, dids, nodeDid);
    const verdict = new Verdict(node.cursor, node.log);
    for (const [did, word] of words) judgeWord(verdict, nodeDid, did, word, people.get(did));
    await writeVerdict(tx, { nodeDid, dids }, verdict, node);
  });
}

function judgeWord(
  verdict: Verdict,
  nodeDid: Did,
  did: Did,
  word: AttestedMember | ProofError | undefined,
  before: Standing = UNKNOWN,
): void {
  if (word instanceof ProofError) {
    verdict.refusals.push({ did, reason: `attestation:${word.reason}` });
  }
  if (!isOther(word, before.member)) return;
  const member = word instanceof ProofError ? undefined : word;
  const signingKey = member?.signingKey ?? before.member?.signingKey;
  if (!signingKey) return;
  const entry: MembershipEntry = {
    // There is no log in which it would have a place.
    ...{ seq: 1, prev: undefined, issuedAt: new Date() },
    ...{ service: nodeDid, did, signingKey },
    active: member !== undefined,
    boundaries: member?.boundaries ?? [],
  };
  const bytes = member ? encodeMember(member) : encodeStranger(did, signingKey);
  const { head } = verdict.hear(entry, bytes, before);
  if (member && !head) verdict.incomplete.add(did);
}

/** Whether a word says other than what is known. */
function isOther(
  word: AttestedMember | ProofError | undefined,
  member: Member | undefined,
): boolean {
  if (word instanceof ProofError) return true;
  if (!word || !member?.active) return word !== undefined || member?.active === true;
  return (
    word.signingKey !== member.signingKey ||
    word.boundaries.length !== member.boundaries.length ||
    word.boundaries.some((boundary) => !member.boundaries.includes(boundary))
  );
}
