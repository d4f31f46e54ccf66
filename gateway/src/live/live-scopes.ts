import type { ReadPool } from '@stratos/prisma';
import { ownMemberships } from '@stratos/prisma/queries';
import { type Boundary, boundaryNode, type Did } from '@stratos/protocol';
import { readFor } from '../access/scope.ts';
import type { Leases } from './leases.ts';
import { LiveScope, type ScopeChange } from './live-scope.ts';

/** Viewers whose memberships are read at the same time. */
const AT_ONCE = 3;

type OnChange = (scope: LiveScope, change: ScopeChange) => void;

interface Followed {
  scope: LiveScope;
  holders: number;
  /** When everything that was asked for by now has been read. */
  reading: Promise<void>;
}

/** The scopes of all viewers who have a stream open, each read once for all streams of a viewer. */
export class LiveScopes {
  readonly #reads: ReadPool;
  readonly #leases: Leases;
  readonly #onChange: OnChange;
  readonly #byViewer = new Map<Did, Followed>();
  readonly #byBoundary = new Map<Boundary, Set<LiveScope>>();

  constructor(reads: ReadPool, leases: Leases, onChange: OnChange) {
    this.#reads = reads;
    this.#leases = leases;
    this.#onChange = onChange;
  }

  /** The boundaries in which somebody reads. */
  get boundaries(): Iterable<Boundary> {
    return this.#byBoundary.keys();
  }

  isRead(boundary: Boundary): boolean {
    return this.#byBoundary.has(boundary);
  }

  /** Those to whom one of the boundaries is open. */
  readersOf(boundaries: Iterable<Boundary>): Set<LiveScope> {
    const readers = new Set<LiveScope>();
    for (const boundary of boundaries) {
      for (const scope of this.#byBoundary.get(boundary) ?? []) readers.add(scope);
    }
    return readers;
  }

  /** The scope of a viewer, kept up to date until it is let go as often as it was taken. */
  async take(viewer: Did): Promise<LiveScope> {
    const followed = this.#byViewer.get(viewer) ?? this.#add(viewer);
    followed.holders += 1;
    try {
      await followed.reading;
      return followed.scope;
    } catch (error) {
      this.letGo(followed.scope);
      throw error;
    }
  }

  letGo(scope: LiveScope): void {
    const followed = this.#byViewer.get(scope.viewer);
    if (!followed || followed.scope !== scope) return;
    followed.holders -= 1;
    if (followed.holders > 0) return;
    this.#byViewer.delete(scope.viewer);
    this.#index(scope, { opened: [], closed: [...scope.boundaries] });
  }

  /** Reads anew what some viewers are members of, as of a moment after the call. */
  async refresh(viewers: Iterable<Did>): Promise<void> {
    const waiting = [...new Set(viewers)]
      .map((viewer) => this.#byViewer.get(viewer))
      .filter((followed) => followed !== undefined)
      .values();
    const readOn = async () => {
      for (const followed of waiting) await this.#read(followed);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, readOn));
  }

  /** Takes over which leases are alive. */
  settle(): void {
    for (const { scope } of this.#byViewer.values()) this.#apply(scope, scope.settle());
    this.#leases.noteEnds();
  }

  #add(viewer: Did): Followed {
    const scope = new LiveScope(viewer, this.#leases);
    const followed = { scope, holders: 0, reading: Promise.resolve() };
    // Before it is read: what changes while it is read has it read once more.
    this.#byViewer.set(viewer, followed);
    this.#read(followed);
    return followed;
  }

  #read(followed: Followed): Promise<void> {
    const { scope } = followed;
    const reading = followed.reading
      .catch(() => {})
      .then(async () => {
        const memberOf = await this.#memberships(scope.viewer);
        // It may be a node that is new, or heard again since they were read.
        if (memberOf.some((boundary) => this.#leases.isOver(boundaryNode(boundary)))) {
          await this.#leases.read();
        }
        if (this.#byViewer.get(scope.viewer) === followed) {
          this.#apply(scope, scope.become(memberOf));
        }
      });
    followed.reading = reading;
    return reading;
  }

  async #memberships(viewer: Did): Promise<Boundary[]> {
    const read = readFor(this.#reads, viewer);
    const memberships = await read((transaction) => ownMemberships(transaction, viewer));
    return memberships.flatMap(({ node, active, boundaries }) =>
      active ? boundaries.filter((boundary) => boundaryNode(boundary) === node) : [],
    );
  }

  #apply(scope: LiveScope, change: ScopeChange): void {
    if (change.opened.length === 0 && change.closed.length === 0) return;
    this.#index(scope, change);
    this.#onChange(scope, change);
  }

  #index(scope: LiveScope, { opened, closed }: ScopeChange): void {
    for (const boundary of opened) {
      const readers = this.#byBoundary.get(boundary) ?? new Set();
      this.#byBoundary.set(boundary, readers.add(scope));
    }
    for (const boundary of closed) {
      const readers = this.#byBoundary.get(boundary);
      readers?.delete(scope);
      if (readers?.size === 0) this.#byBoundary.delete(boundary);
    }
  }
}
