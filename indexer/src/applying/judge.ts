import {
  CommitClaim,
  type Did,
  type DidKey,
  decodeCanonicalMap,
  EMPTY_TREE,
  keysOfEntry,
  type NodeKeyPeriod,
  ProofError,
  type RepoHead,
  type VerifiedCommit,
  type VerifiedOp,
  verifyMembershipEntry,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { judgePost } from './apply-post.ts';
import { judgeHeartbeat, type MadeUp } from './judge-heartbeat.ts';
import { claimedActor, type NodeEvent, positionOf } from './node-event.ts';
import type { NodeState } from './node-state.ts';
import type { Proof } from './proofs.ts';
import type { ProvenEvent } from './prove-event.ts';
import { type Standing, UNKNOWN } from './standing.ts';
import { Verdict } from './verdict.ts';

/** What the word of a node is measured by. */
export interface NodeTrust {
  nodeDid: Did;
  /** From the node's DID document as of this connection. */
  keys: readonly DidKey[];
  /** Which key may have signed which entry of the membership log; if undefined, those of now. */
  history?: readonly NodeKeyPeriod[] | undefined;
  leaseSeconds: number;
  /** What the node no longer has was made up for, and nothing has come since but heartbeats. */
  madeUp?: MadeUp | undefined;
  now?: Date;
}

/** The people whose standing it takes to judge some events. */
export function peopleOf(events: readonly NodeEvent[]): Did[] {
  const dids = new Set<Did>();
  for (const event of events) {
    const did = event.type === '#membership' ? memberOf(event.body) : claimedActor(event.body);
    if (did) dids.add(did);
  }
  return [...dids].sort();
}

/**
 * Judges events of one node in their order, from a state as it was before the first of them. Looks at
 * nothing but what it is given, and writes nothing.
 */
export async function judge(
  events: readonly ProvenEvent[],
  trust: NodeTrust,
  state: { node: NodeState; people: ReadonlyMap<Did, Standing> },
): Promise<Verdict> {
  const judging = new Judging(trust, state.node, new Map(state.people));
  for (const event of events) {
    if (judging.verdict.broken) break;
    await judging.take(event);
  }
  return judging.verdict;
}

/** The same for the next entry of the membership log, that was read from the log itself. */
export async function judgeEntry(
  bytes: Uint8Array,
  trust: NodeTrust,
  state: { node: NodeState; people: ReadonlyMap<Did, Standing> },
): Promise<Verdict> {
  const judging = new Judging(trust, state.node, new Map(state.people));
  await judging.takeEntry(bytes);
  return judging.verdict;
}

class Judging {
  readonly verdict: Verdict;
  readonly #trust: NodeTrust;
  readonly #logRead: number;
  readonly #people: Map<Did, Standing>;

  constructor(trust: NodeTrust, node: NodeState, people: Map<Did, Standing>) {
    this.verdict = new Verdict(node.cursor, node.log);
    this.#trust = trust;
    this.#logRead = node.logRead;
    this.#people = people;
  }

  async take(event: ProvenEvent): Promise<void> {
    try {
      if (event.type === '#heartbeat') this.#heartbeat(event);
      if (event.type === '#membership') await this.#membership(event);
      if (event.type === '#commit') this.#commit(event);
    } catch (error) {
      const streamSeq = event.type === '#heartbeat' ? undefined : positionOf(event.body);
      this.#break(error, event.type.slice(1), streamSeq);
    }
  }

  async takeEntry(bytes: Uint8Array): Promise<void> {
    await this.#entry(bytes).catch((error) => this.#break(error, 'log'));
  }

  #break(error: unknown, where: string, streamSeq?: number): void {
    if (!(error instanceof ProofError)) throw error;
    const { reason } = error;
    this.verdict.refusals.push({ streamSeq, reason: `${where}:${reason}` });
    this.verdict.broken = { reason, cause: error };
  }

  #heartbeat({ body }: NodeEvent): void {
    const { verdict } = this;
    const { newest, moved, lease } = judgeHeartbeat(body, {
      ...this.#trust,
      state: { cursor: verdict.cursor, log: verdict.log, logRead: this.#logRead },
    });
    verdict.newest = newest;
    verdict.cursor = moved;
    if (lease) verdict.lease = lease;
  }

  async #membership({ body }: NodeEvent): Promise<void> {
    const parsed = zone.stratos.sync.subscribeService.membership.safeValidate(body);
    if (!parsed.success) throw new ProofError('malformed', 'not a membership event');
    const { seq, entry } = parsed.value;
    if (seq <= this.verdict.cursor) return;
    if (!isRead(entry, this.#logRead)) await this.#entry(entry);
    this.#move(seq);
  }

  /** The next entry of the log becomes the word that holds about its person. */
  async #entry(bytes: Uint8Array): Promise<void> {
    const { verdict } = this;
    const { nodeDid, keys: present, history } = this.#trust;
    const previous = verdict.log;
    const keys = history ? keysOfEntry(history, (previous?.seq ?? 0) + 1) : present;
    const { entry, cid } = await verifyMembershipEntry(bytes, { service: nodeDid, keys, previous });
    const { did } = entry;
    this.#people.set(did, verdict.hear(entry, bytes, this.#standing(did)));
    verdict.log = { seq: entry.seq, cid };
  }

  #commit({ body, claim }: ProvenEvent): void {
    const seq = positionOf(body);
    if (seq === undefined) throw new ProofError('malformed', 'a commit without a position');
    if (seq <= this.verdict.cursor) return;
    const did = claimedActor(body);
    for (const { uri, reason } of this.#refusalsOf(claim, { streamSeq: seq, body })) {
      this.verdict.refusals.push({ did, uri, streamSeq: seq, reason });
    }
    this.#move(seq);
  }

  #refusalsOf(
    claim: ProvenEvent['claim'],
    event: { streamSeq: number; body: unknown },
  ): { uri?: string; reason: string }[] {
    if (!(claim instanceof CommitClaim)) return [{ reason: claim?.reason ?? 'malformed' }];
    const { did } = claim;
    const standing = this.#standing(did);
    const { member, head, isAsked } = standing;
    if (head && claim.rev <= head.rev) return [];
    if (!member) {
      // A node may well make the repo before it says who it is for.
      return claim.isEmpty && !claim.since ? [] : [{ reason: 'not-a-member' }];
    }
    try {
      const { signingKey } = member;
      const previous = head ?? emptyHead(claim);
      const commit = claim.check({ signingKey, previous, ...this.#trust });
      if (!isAsked) return this.#apply(commit, { claim, member });
      this.verdict.waiting.push({ did, ...event });
      return [];
    } catch (error) {
      // Everything is proven before anything is noted: there is nothing to take back.
      if (!(error instanceof ProofError)) throw error;
      const { reason } = error;
      if (reason !== 'not-continuous') return [{ reason }];
      this.verdict.waiting.push({ did, ...event });
      this.#people.set(did, { ...standing, isAsked: true });
      // The first says it all, until the repo is fetched anew.
      return isAsked ? [] : [{ reason }];
    }
  }

  #apply(
    { did, rev, commit, data, ops }: VerifiedCommit,
    { claim, member }: { claim: CommitClaim; member: NonNullable<Standing['member']> },
  ) {
    const { verdict } = this;
    const at = { nodeDid: this.#trust.nodeDid, allowed: new Set(member.boundaries) };
    const { signingKey } = member;
    const proof = (): Proof => ({ did, rev, commit, signingKey, car: claim.proof() });
    const refused: { uri: string; reason: string }[] = [];
    for (const op of ops) {
      if (op.collection !== zone.stratos.feed.post.$nsid) continue;
      const reason = this.#applyOp(op, { did, rev, at, proof });
      if (reason) refused.push({ uri: op.uri, reason });
    }
    const standing = this.#standing(did);
    this.#people.set(did, { ...standing, head: { rev, data } });
    verdict.heads.set(did, { did, rev, commit, data });
    return refused;
  }

  /** @returns why the record is refused; it leaves nothing behind then, also no earlier version */
  #applyOp(
    op: VerifiedOp,
    context: {
      did: Did;
      rev: VerifiedCommit['rev'];
      at: { nodeDid: Did; allowed: ReadonlySet<string> };
      proof: () => Proof;
    },
  ): string | undefined {
    const { verdict } = this;
    const { did, rev, at, proof } = context;
    if (op.action === 'delete') {
      verdict.bury(op.uri, rev);
      return undefined;
    }
    const { post, refused } = judgePost(op, at);
    if (!post) {
      verdict.remove(op.uri);
      return refused;
    }
    if (op.action === 'update') verdict.replaced.add(op.uri);
    verdict.write({ ...post, did, rev, proofRev: rev }, proof);
    return undefined;
  }

  #standing(did: Did): Standing {
    return this.#people.get(did) ?? UNKNOWN;
  }

  #move(seq: number): void {
    this.verdict.cursor = seq;
    this.verdict.newest = Math.max(this.verdict.newest, seq);
  }
}

/** Of a repo that we never saw, the empty tree is a beginning as good as the first commit. */
function emptyHead({ since, prevData }: CommitClaim): RepoHead | undefined {
  if (since === undefined || prevData !== EMPTY_TREE) return undefined;
  return { rev: since, data: EMPTY_TREE };
}

/** Whether an entry was read from the log itself before the stream brought it. */
function isRead(entry: Uint8Array, logRead: number): boolean {
  if (logRead === 0) return false;
  try {
    const { seq } = decodeCanonicalMap(entry);
    return Number.isSafeInteger(seq) && Number(seq) >= 1 && Number(seq) <= logRead;
  } catch (error) {
    if (error instanceof ProofError) return false;
    throw error;
  }
}

function memberOf(body: unknown): Did | undefined {
  const entry = (body as { entry?: unknown } | null)?.entry;
  if (!(entry instanceof Uint8Array)) return undefined;
  try {
    return claimedActor(decodeCanonicalMap(entry));
  } catch (error) {
    if (error instanceof ProofError) return undefined;
    throw error;
  }
}
