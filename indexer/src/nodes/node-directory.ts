import type { Did } from '@stratos/protocol';
import PQueue from 'p-queue';
import { recordRefusal } from '../applying/refusal.ts';
import { inTransaction } from '../database.ts';
import {
  claimedNodes,
  claimNodes,
  countNodes,
  giveBackNodes,
  type NodeClaim,
} from '../followers/node-claims.ts';
import type { Presence } from '../followers/presence.ts';
import { type Recurring, recurring } from '../lookups/recurring.ts';
import type { Room } from './arrivals.ts';
import { MemberLimit } from './member-limit.ts';
import { type FollowerContext, followNode, type SourceStatus } from './node-follower.ts';
import { isAllowedNode, type NodePolicy } from './node-policy.ts';
import { readAheadRoom } from './read-ahead.ts';

const LOOK_MS = 1_000;
/** Nodes that are taken or given back at a time, so that a thousand do not connect in one moment. */
const NODES_PER_LOOK = 100;
/** Sockets to nodes without a stream of all, where each of their people takes one. */
const SOCKETS = 64;

interface Followed {
  claim: NodeClaim;
  status: SourceStatus;
  stop: AbortController;
  done: Promise<void>;
}

type DirectoryContext = Omit<FollowerContext, 'fence' | 'room' | 'sockets' | 'maxMembers'>;

/** The nodes that this indexer follows: its fair share of all, each followed by one indexer alone. */
export class NodeDirectory implements AsyncDisposable {
  readonly #context: DirectoryContext;
  readonly #policy: NodePolicy;
  readonly #presence: Presence;
  readonly #members: MemberLimit;
  readonly #followed = new Map<Did, Followed>();
  /** Every node's part of the memory, as many as are followed at the moment. */
  readonly #room: Room;
  readonly #sockets = new PQueue({ concurrency: SOCKETS });
  #looking: Recurring | undefined;

  constructor(context: DirectoryContext, policy: NodePolicy, presence: Presence) {
    this.#context = context;
    this.#policy = policy;
    this.#presence = presence;
    this.#room = readAheadRoom(this.#followed);
    this.#members = new MemberLimit(context.db, policy.maxMembers);
  }

  /** Begins with what nobody follows yet. */
  async resume(): Promise<void> {
    const { logger } = this.#context;
    await this.#look();
    const onError = (error: unknown) => logger.warn({ err: error }, 'looking for free nodes');
    this.#looking = recurring(LOOK_MS, () => this.#look(), onError);
  }

  /** Whether a node is known, or may become so as the operator has it. */
  async mayFollow(did: Did): Promise<boolean> {
    if (!isAllowedNode(this.#policy, did)) return false;
    const { db } = this.#context;
    if ((await db.node.count({ where: { did } })) > 0) return true;
    return (await db.node.count()) < this.#policy.max;
  }

  isFollowing(did: Did): boolean {
    return this.#followed.get(did)?.stop.signal.aborted === false;
  }

  /** Takes a node that is new, unless another indexer is faster. */
  soon(): void {
    this.#looking?.soon();
  }

  status(): Record<string, SourceStatus> {
    const entries = [...this.#followed].map(([did, { status }]) => [did, { ...status }] as const);
    return Object.fromEntries(entries);
  }

  async #look(): Promise<void> {
    const { db } = this.#context;
    const { id, living } = this.#presence;
    const claimed = await claimedNodes(db, id);
    await this.#dropAllBut(claimed);
    for (const [nodeDid, isExceeded] of await this.#members.look(claimed)) {
      if (isExceeded) await this.#silence(nodeDid);
      else await this.#heed(nodeDid);
    }
    for (const claim of claimed) this.#follow(claim);
    const share = Math.ceil((await countNodes(db, this.#policy)) / living);
    const room = share - this.#followed.size;
    if (room < 0) await this.#giveBack(Math.min(-room, NODES_PER_LOOK));
    if (room <= 0) return;
    const limit = Math.min(room, NODES_PER_LOOK);
    for (const claim of await claimNodes(db, id, { policy: this.#policy, limit })) {
      this.#follow(claim);
    }
  }

  /** Takes nothing more from a node, until it has fewer members. */
  async #silence(nodeDid: Did): Promise<void> {
    const { db, logger } = this.#context;
    const followed = this.#followed.get(nodeDid);
    if (!followed || followed.stop.signal.aborted) return;
    followed.stop.abort();
    await followed.done;
    followed.status.breaker = 'open';
    logger.error({ node: nodeDid }, 'the node has more members than may be');
    const refusal = { source: nodeDid, reason: 'too-many-members' };
    await inTransaction(db, (tx) => recordRefusal(tx, refusal));
  }

  /** Lets a node be followed again that was silenced. */
  async #heed(nodeDid: Did): Promise<void> {
    const followed = this.#followed.get(nodeDid);
    if (followed?.stop.signal.aborted) await this.#leave([followed]);
  }

  /** Nothing is written under a claim that is lost; here the connection goes as well. */
  async #dropAllBut(claims: readonly NodeClaim[]): Promise<void> {
    const epochs = new Map(claims.map(({ nodeDid, fence }) => [nodeDid, fence.epoch]));
    const lost = [...this.#followed.values()].filter(
      ({ claim }) => epochs.get(claim.nodeDid) !== claim.fence.epoch,
    );
    await this.#leave(lost);
  }

  async #giveBack(count: number): Promise<void> {
    const surplus = [...this.#followed.values()].slice(-count);
    await this.#leave(surplus);
    const dids = surplus.map(({ claim }) => claim.nodeDid);
    await giveBackNodes(this.#context.db, this.#presence.id, dids);
  }

  async #leave(nodes: readonly Followed[]): Promise<void> {
    for (const { stop } of nodes) stop.abort();
    await Promise.all(nodes.map(({ done }) => done));
    for (const { claim } of nodes) this.#followed.delete(claim.nodeDid);
  }

  #follow(claim: NodeClaim): void {
    const { nodeDid, fence } = claim;
    if (this.#followed.has(nodeDid)) return;
    const status: SourceStatus = {
      ...{ connected: false, cursor: 0, lag: 0, refused: 0 },
      breaker: 'closed',
    };
    const stop = new AbortController();
    const shared = { room: this.#room, sockets: this.#sockets };
    const { maxMembers } = this.#policy;
    const context = { ...this.#context, ...shared, fence, maxMembers };
    const done = followNode(context, nodeDid, status, stop.signal);
    this.#followed.set(nodeDid, { claim, status, stop, done });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#looking?.[Symbol.asyncDispose]();
    const dids = [...this.#followed.keys()];
    await this.#leave([...this.#followed.values()]);
    await giveBackNodes(this.#context.db, this.#presence.id, dids).catch(() => {});
  }
}
