import { TID } from '@atproto/common-web';
import { zone } from '@stratos/protocol/lexicons';

export const COLLECTION = zone.stratos.feed.post.$nsid;

/** What one request would make of some record keys: a CID, or nothing. */
export type Changes = ReadonlyMap<string, string | undefined>;

/**
 * What one writer knows of the keys that are theirs alone: what was acknowledged, and the one
 * request that may or may not have been carried out when the node died.
 */
export class WriterLedger {
  readonly rkeys: readonly string[];
  /** The CID under each key that has a record. */
  readonly records = new Map<string, string>();
  /** Revisions that the node has named in its answers. */
  readonly revs = new Set<string>();
  #open: Changes | undefined;

  constructor(keys: number) {
    this.rkeys = Array.from({ length: keys }, () => TID.nextStr());
  }

  /** To be called before a request is sent. */
  begin(changes: Changes): void {
    this.#open = changes;
  }

  /** The node says that it has done it. */
  acknowledged(rev: string | undefined): void {
    if (this.#open) this.#apply(this.#open);
    this.#open = undefined;
    if (rev !== undefined) this.revs.add(rev);
  }

  /** The node says that it has not. */
  refused(): void {
    this.#open = undefined;
  }

  /**
   * Compares with what is there after a restart, and takes that over where it was open.
   *
   * @returns what is not as it must be
   */
  settle(found: ReadonlyMap<string, string>): string[] {
    const open = this.#open;
    this.#open = undefined;
    const before = this.#mismatches(found, this.records);
    if (before.length === 0) return [];
    if (!open) return before;
    const after = new Map(this.records);
    for (const [rkey, cid] of open) {
      if (cid === undefined) after.delete(rkey);
      else after.set(rkey, cid);
    }
    if (this.#mismatches(found, after).length > 0) {
      return [...before, `and it is not after [${[...open.keys()].join()}] either`];
    }
    this.#apply(open);
    return [];
  }

  #mismatches(found: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): string[] {
    return this.rkeys.flatMap((rkey) => {
      const [is, mustBe] = [found.get(rkey), expected.get(rkey)];
      return is === mustBe ? [] : [`${rkey} is ${is ?? 'absent'}, was ${mustBe ?? 'absent'}`];
    });
  }

  #apply(changes: Changes): void {
    for (const [rkey, cid] of changes) {
      if (cid === undefined) this.records.delete(rkey);
      else this.records.set(rkey, cid);
    }
  }
}

/** What somebody is a member of; undefined when they are not enrolled. */
export type Standing = string | undefined;

/** What the operator knows of everybody's membership. */
export class MembershipLedger {
  readonly standings = new Map<string, Standing>();
  #open: { did: string; standing: Standing } | undefined;

  begin(did: string, standing: Standing): void {
    this.#open = { did, standing };
  }

  acknowledged(): void {
    if (this.#open) this.standings.set(this.#open.did, this.#open.standing);
    this.#open = undefined;
  }

  /** As {@link WriterLedger.settle}. */
  settle(found: ReadonlyMap<string, Standing>): string[] {
    const open = this.#open;
    this.#open = undefined;
    return [...this.standings].flatMap(([did, mustBe]) => {
      const is = found.get(did);
      if (is === mustBe) return [];
      if (open?.did === did && is === open.standing) {
        this.standings.set(did, is);
        return [];
      }
      return [`${did} stands as '${is}', was '${mustBe}'`];
    });
  }
}
