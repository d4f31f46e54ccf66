import type { Did, MembershipEntry, MembershipLogHead, Tid } from '@stratos/protocol';
import type { WaitingCommit } from '../resync/waiting-commits.ts';
import type { PlacedPost } from './apply-post.ts';
import type { Proof } from './proofs.ts';
import type { Refusal } from './refusal.ts';
import type { Standing, StoredHead } from './standing.ts';

/** The newest word of a node about a person. */
export interface JudgedMembership {
  entry: MembershipEntry;
  /** The signed statement. */
  bytes: Uint8Array;
  /** Whether those who may read the person's posts can be others than before. */
  isTurn: boolean;
}

/** What a run of events comes to: all that is to be written, and nothing twice. */
export class Verdict {
  /** Position up to which the node is applied. */
  cursor: number;
  /** Newest position that the node has told of. */
  newest: number;
  log: MembershipLogHead | undefined;
  lease: { heartbeatAt: Date; until: Date } | undefined;
  /** Why nothing more is taken from the node on this connection. */
  broken: { reason: string; cause: Error } | undefined;

  readonly memberships = new Map<Did, JudgedMembership>();
  /** People whose key is another, and with it the repo. */
  readonly forgotten = new Set<Did>();
  readonly heads = new Map<Did, StoredHead>();
  readonly written = new Map<string, PlacedPost>();
  /** Earlier versions that have to go, also where there is a new one. */
  readonly removed = new Set<string>();
  /** Posts that were there before, and are replaced. */
  readonly replaced = new Set<string>();
  readonly buried = new Map<string, Tid>();
  /** People who have returned, or hold more than before, and whose repos have to be fetched. */
  readonly incomplete = new Set<Did>();
  /** Commits of repos that have to be fetched first, in their order. */
  waiting: WaitingCommit[] = [];
  readonly refusals: Omit<Refusal, 'source'>[] = [];
  readonly #proofs = new Map<string, () => Proof>();

  constructor(cursor: number, log: MembershipLogHead | undefined) {
    this.cursor = cursor;
    this.newest = cursor;
    this.log = log;
  }

  /** Whether all that comes of it is posts that nobody knows yet. */
  get isOnlyNew(): boolean {
    const { memberships, forgotten, removed, replaced, incomplete, waiting } = this;
    const old = [memberships, forgotten, removed, replaced, incomplete];
    return waiting.length === 0 && old.every(({ size }) => size === 0);
  }

  /** The proofs of the posts that are written in the end. */
  get proofs(): Proof[] {
    const named = new Set([...this.written.values()].map(({ did, rev }) => `${did} ${rev}`));
    return Array.from(named, (key) => this.#proofs.get(key)?.()).filter((proof) => !!proof);
  }

  /**
   * Takes a newer word of the node about a person, of whom so much was known before it.
   *
   * @returns what is known from here on
   */
  hear(entry: MembershipEntry, bytes: Uint8Array, { member, ...before }: Standing): Standing {
    const { did, active, signingKey } = entry;
    const isOther = member !== undefined && member.signingKey !== signingKey;
    const standing = { ...before };
    // Another key is another repo: what the one before held is gone at the node, and so it is here.
    if (isOther) {
      this.forget(did);
      standing.head = undefined;
      standing.isPartial = false;
    }
    const boundaries = active ? entry.boundaries : [];
    // What they wrote meanwhile may have come without its content, and does not come again; nor does
    // what was fetched before they held its boundaries.
    const hasReturned = active && member?.active === false && !isOther;
    const holdsMore = boundaries.some((each) => member?.boundaries.includes(each) === false);
    const isIncomplete = hasReturned || (standing.isPartial && holdsMore);
    if (isIncomplete) this.incomplete.add(did);
    const isTurn = !member || member.active !== active || isOther;
    this.memberships.set(did, {
      entry,
      bytes,
      isTurn: isTurn || this.memberships.get(did)?.isTurn === true,
    });
    const isAsked = standing.isAsked || isIncomplete;
    return { ...standing, member: { active, signingKey, boundaries }, isAsked };
  }

  write(post: PlacedPost, proof: () => Proof): void {
    this.written.set(post.uri, post);
    this.buried.delete(post.uri);
    this.#proofs.set(`${post.did} ${post.rev}`, proof);
  }

  remove(uri: string): void {
    this.written.delete(uri);
    this.removed.add(uri);
  }

  bury(uri: string, rev: Tid): void {
    this.remove(uri);
    this.buried.set(uri, rev);
  }

  forget(did: Did): void {
    this.forgotten.add(did);
    this.heads.delete(did);
    this.waiting = this.waiting.filter((commit) => commit.did !== did);
    for (const [uri, post] of this.written) if (post.did === did) this.written.delete(uri);
  }
}
