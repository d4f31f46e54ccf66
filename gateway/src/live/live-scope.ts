import { type Boundary, boundaryNode, type Did } from '@stratos/protocol';
import type { Scope } from '../access/scope.ts';
import type { Leases } from './leases.ts';

/** The boundaries that were opened and closed by something. */
export interface ScopeChange {
  opened: Boundary[];
  closed: Boundary[];
}

/** What is open to one viewer right now, for all streams that they have. */
export class LiveScope implements Scope {
  readonly viewer: Did;
  readonly #leases: Leases;
  #memberOf: readonly Boundary[] = [];
  #open: ReadonlySet<Boundary> = new Set();

  constructor(viewer: Did, leases: Leases) {
    this.viewer = viewer;
    this.#leases = leases;
  }

  /** The boundaries that are open, of nodes that are heard. */
  get boundaries(): ReadonlySet<Boundary> {
    return this.#open;
  }

  /** Whether the viewer is a member of a boundary, or of any, whether its node is heard or not. */
  isMemberOf(boundary: Boundary | undefined): boolean {
    return boundary ? this.#memberOf.includes(boundary) : this.#memberOf.length > 0;
  }

  /** Takes over what the viewer is a member of now. */
  become(memberOf: readonly Boundary[]): ScopeChange {
    this.#memberOf = memberOf;
    return this.settle();
  }

  /** Compares what is open with leases as they are now. */
  settle(): ScopeChange {
    const before = this.#open;
    const open = new Set(
      this.#memberOf.filter((boundary) => !this.#leases.isOver(boundaryNode(boundary))),
    );
    this.#open = open;
    return {
      opened: [...open].filter((boundary) => !before.has(boundary)),
      closed: [...before].filter((boundary) => !open.has(boundary)),
    };
  }
}
