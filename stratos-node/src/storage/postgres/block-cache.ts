import type { Cid, Did } from '@stratos/protocol';
import type { RepoRoot } from '../actor-storage.ts';

interface CachedRepo {
  root: RepoRoot;
  blocks: Map<Cid, Uint8Array>;
}

const NONE: ReadonlyMap<Cid, Uint8Array> = new Map();

/**
 * Commits and nodes of actors' trees, which every write walks through. What is kept of an actor belongs to one
 * commit and is used at that commit alone, so nothing that another process deleted is ever found;
 * records are not kept at all.
 */
export class BlockCache {
  readonly #max: number;
  /** In order of last use, oldest first. */
  readonly #repos = new Map<Did, CachedRepo>();
  #size = 0;

  /** @param max - blocks of all actors together */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** What is known of an actor's tree at a commit. */
  at(did: Did, root: RepoRoot): ReadonlyMap<Cid, Uint8Array> {
    const repo = this.#repos.get(did);
    if (repo?.root.cid !== root.cid) return NONE;
    this.#repos.delete(did);
    this.#repos.set(did, repo);
    return repo.blocks;
  }

  /** Keeps the commit and the nodes among blocks that were read at it, unless it knows a later commit. */
  add(did: Did, root: RepoRoot, blocks: Iterable<readonly [Cid, Uint8Array]>): void {
    const known = this.#repos.get(did);
    if (known && known.root.cid !== root.cid) {
      if (known.root.rev >= root.rev) return;
      this.forget(did);
    }
    const repo = this.#repos.get(did) ?? { root, blocks: new Map() };
    this.#repos.set(did, repo);
    for (const [cid, bytes] of blocks) {
      const isKept = cid === root.cid || isTreeNode(bytes);
      if (!isKept || repo.blocks.has(cid)) continue;
      repo.blocks.set(cid, bytes);
      this.#size += 1;
    }
    this.#evict();
  }

  /** Goes on to the next commit of an actor, once it is committed. */
  advance(did: Did, from: RepoRoot | undefined, to: RepoRoot, removed: Iterable<Cid>): void {
    const repo = this.#repos.get(did);
    if (!repo || repo.root.cid !== from?.cid) {
      this.forget(did);
      return;
    }
    repo.root = to;
    for (const cid of removed) if (repo.blocks.delete(cid)) this.#size -= 1;
  }

  forget(did: Did): void {
    this.#size -= this.#repos.get(did)?.blocks.size ?? 0;
    this.#repos.delete(did);
  }

  #evict(): void {
    for (const did of this.#repos.keys()) {
      if (this.#size <= this.#max) return;
      this.forget(did);
    }
  }
}

/** Whether a block is a map of `e` and `l`, as nodes are and records, which have a `$type`, are not. */
function isTreeNode(bytes: Uint8Array): boolean {
  return bytes[0] === 0xa2 && bytes[1] === 0x61 && bytes[2] === 0x65;
}
