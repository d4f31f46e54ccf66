import type { Did } from '@stratos/protocol';
import type { Database } from '../database.ts';
import type { NodeClaim } from '../followers/node-claims.ts';

const COUNT_EVERY_MS = 10_000;

/** Finds nodes that have more members than the operator lets a node have: a log may be endless. */
export class MemberLimit {
  readonly #db: Database;
  readonly #most: number;
  readonly #countedAt = new Map<Did, number>();

  constructor(db: Database, most: number) {
    this.#db = db;
    this.#most = most;
  }

  /** Whether nodes are over the limit: those of which it was time to find out. */
  async look(claims: readonly NodeClaim[]): Promise<Map<Did, boolean>> {
    const found = new Map<Did, boolean>();
    for (const { nodeDid, membershipSeq } of claims) {
      // There is no member without an entry.
      if (membershipSeq <= this.#most) found.set(nodeDid, false);
      else if (this.#isTime(nodeDid)) found.set(nodeDid, await this.#isExceeded(nodeDid));
    }
    return found;
  }

  async #isExceeded(nodeDid: Did): Promise<boolean> {
    const where = { nodeDid };
    return (await this.#db.membership.count({ where, take: this.#most + 1 })) > this.#most;
  }

  #isTime(nodeDid: Did): boolean {
    const now = performance.now();
    if (now - (this.#countedAt.get(nodeDid) ?? Number.NEGATIVE_INFINITY) < COUNT_EVERY_MS) {
      return false;
    }
    this.#countedAt.set(nodeDid, now);
    return true;
  }
}
