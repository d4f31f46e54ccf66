import type { Did } from '@stratos/protocol';
import { type FollowerContext, followNode, type SourceStatus } from './node-follower.ts';
import { isAllowedNode, type NodePolicy } from './node-policy.ts';

/** All nodes that are followed, each once. */
export class NodeDirectory implements AsyncDisposable {
  readonly #context: FollowerContext;
  readonly #policy: NodePolicy;
  readonly #stop = new AbortController();
  readonly #followed = new Map<Did, { status: SourceStatus; done: Promise<void> }>();

  constructor(context: FollowerContext, policy: NodePolicy) {
    this.#context = context;
    this.#policy = policy;
  }

  /** Begins with every node of the database. */
  async resume(): Promise<void> {
    const nodes = await this.#context.db.node.findMany({
      select: { did: true },
      orderBy: { firstSeenAt: 'asc' },
    });
    for (const { did } of nodes) if (this.mayFollow(did as Did)) this.follow(did as Did);
  }

  /** Whether a node is followed, or may be as the operator has it. */
  mayFollow(did: Did): boolean {
    if (this.#followed.has(did)) return true;
    return isAllowedNode(this.#policy, did) && this.#followed.size < this.#policy.max;
  }

  follow(did: Did): void {
    if (this.#followed.has(did) || this.#stop.signal.aborted) return;
    const status: SourceStatus = { connected: false, cursor: 0, lag: 0, refused: 0 };
    const done = followNode(this.#context, did, status, this.#stop.signal);
    this.#followed.set(did, { status, done });
  }

  status(): Record<string, SourceStatus> {
    const entries = [...this.#followed].map(([did, { status }]) => [did, { ...status }] as const);
    return Object.fromEntries(entries);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#followed.values()].map(({ done }) => done));
  }
}
