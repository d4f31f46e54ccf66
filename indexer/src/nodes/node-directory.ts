import type { Did } from '@stratos/protocol';
import { type FollowerContext, followNode, type SourceStatus } from './node-follower.ts';

/** All nodes that are followed, each once. */
export class NodeDirectory implements AsyncDisposable {
  readonly #context: FollowerContext;
  readonly #stop = new AbortController();
  readonly #followed = new Map<Did, { status: SourceStatus; done: Promise<void> }>();

  constructor(context: FollowerContext) {
    this.#context = context;
  }

  /** Begins with every node of the database. */
  async resume(): Promise<void> {
    const nodes = await this.#context.db.node.findMany({ select: { did: true } });
    for (const { did } of nodes) this.follow(did as Did);
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
