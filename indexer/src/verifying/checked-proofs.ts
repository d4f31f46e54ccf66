import type { RepoProof } from '@stratos/protocol';
import type { Transaction } from '../database.ts';
import { checkProof } from './check-proof.ts';
import type { FlawKind } from './flaw.ts';
import type { StoredPerson } from './stored-person.ts';

/** Proofs that are remembered: more than a page of posts can name. */
const MOST_REMEMBERED = 1_000;

/** A person's proofs, each read and checked when it is first named. */
export class CheckedProofs {
  readonly #person: StoredPerson;
  /** Undefined for those by which nothing can be shown. */
  readonly #known = new Map<string, RepoProof | undefined>();

  constructor(person: StoredPerson) {
    this.#person = person;
  }

  /** Reads those of some revisions that are not known yet. @returns what is wrong with them */
  async load(tx: Transaction, revs: ReadonlySet<string>): Promise<FlawKind[]> {
    const { did, nodeDid } = this.#person;
    for (const rev of this.#known.keys()) {
      if (this.#known.size <= MOST_REMEMBERED) break;
      if (!revs.has(rev)) this.#known.delete(rev);
    }
    const unknown = [...revs].filter((rev) => !this.#known.has(rev));
    if (unknown.length === 0) return [];
    const rows = await tx.proof.findMany({ where: { did, nodeDid, rev: { in: unknown } } });
    const found: FlawKind[] = [];
    for (const row of rows) {
      const { flaws, proof } = await checkProof(row, this.#person);
      found.push(...flaws);
      this.#known.set(row.rev, proof);
    }
    return found;
  }

  get(rev: string | null): RepoProof | undefined {
    return rev === null ? undefined : this.#known.get(rev);
  }
}
