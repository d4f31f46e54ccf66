import type { ReadPool } from '@stratos/prisma';
import { nodeLeases } from '@stratos/prisma/queries';
import type { Did } from '@stratos/protocol';

/** Until when a node is heard. */
export interface Lease {
  /** By `performance.now()`: the clock of this process does not decide what is shown. */
  until: number;
}

/** The leases of all nodes, as the database says that they are. */
export class Leases {
  readonly #reads: ReadPool;
  readonly #byNode = new Map<Did, Lease>();
  #firstEnd = Number.POSITIVE_INFINITY;

  constructor(reads: ReadPool) {
    this.#reads = reads;
  }

  /** The lease of a node, which changes with each reading. It is over until one has been read. */
  of(node: Did): Lease {
    const known = this.#byNode.get(node);
    if (known) return known;
    const lease = { until: Number.NEGATIVE_INFINITY };
    this.#byNode.set(node, lease);
    return lease;
  }

  isOver(node: Did): boolean {
    return this.of(node).until <= performance.now();
  }

  /** Whether one may have ended since {@link noteEnds}. */
  get hasEnded(): boolean {
    return performance.now() >= this.#firstEnd;
  }

  async read(): Promise<void> {
    const asked = performance.now();
    const rows = await nodeLeases(this.#reads);
    for (const lease of this.#byNode.values()) lease.until = Number.NEGATIVE_INFINITY;
    for (const { did, left } of rows) {
      this.of(did).until = left === null ? Number.NEGATIVE_INFINITY : asked + left;
    }
    this.#firstEnd = Number.NEGATIVE_INFINITY;
  }

  /** Looks for the next one to end. Those that have ended are none. */
  noteEnds(): void {
    const now = performance.now();
    this.#firstEnd = Number.POSITIVE_INFINITY;
    for (const { until } of this.#byNode.values()) {
      if (until > now) this.#firstEnd = Math.min(this.#firstEnd, until);
    }
  }
}
