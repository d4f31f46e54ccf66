import type { Proof } from '@stratos/prisma';
import { isDidKey, ProofError, RepoProof } from '@stratos/protocol';
import { textOf } from '@stratos/protocol/tree';
import type { FlawKind } from './flaw.ts';
import type { StoredPerson } from './stored-person.ts';

export interface CheckedProof {
  flaws: FlawKind[];
  /** Undefined when nothing can be shown by it. */
  proof: RepoProof | undefined;
}

/** Whether a stored proof is the person's own, and what it says of their repo. */
export async function checkProof(
  stored: Proof,
  { did, member, resync }: StoredPerson,
): Promise<CheckedProof> {
  const { car, rev, commit, signingKey } = stored;
  if (!isDidKey(signingKey)) return { flaws: ['bad-proof'], proof: undefined };
  try {
    const proof = await RepoProof.read(car, { did, signingKeys: [signingKey] });
    const { repo } = proof;
    const flaws: FlawKind[] = [];
    if (repo.rev !== rev || repo.commit !== commit) flaws.push('bad-proof');
    if (member && member.signingKey !== signingKey) flaws.push('wrong-key');
    const head = member?.repo;
    // @NOTE a large repo that is being fetched anew is proven before it is taken over
    const isAhead = !resync && (!head || repo.rev > head.rev);
    const isOther =
      head?.rev === repo.rev && (head.commit !== repo.commit || head.data !== textOf(repo.data));
    if (isAhead || isOther) flaws.push('wrong-head');
    return { flaws, proof };
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    const kind = error.reason === 'bad-signature' ? 'proof-signature' : 'bad-proof';
    return { flaws: [kind], proof: undefined };
  }
}
