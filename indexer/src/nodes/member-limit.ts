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

  /** Those of the nodes that are over the limit, as far as it was time to count. */
  async exceededBy(claims: readonly NodeClaim[]): Promise<Did[]> {
    const found: Did[] = [];
    for (const { nodeDid, membershipSeq } of claims) {
      // There is no member without an entry.
      if (membershipSeq <= this.#most || !this.#isTime(nodeDid)) continue;
      const where = { nodeDid };
      const members = await this.#db.membership.count({ where, take: this.#most + 1 });
      if (members > this.#most) found.push(nodeDid);
    }
    return found;
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
