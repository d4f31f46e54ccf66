import { hash } from 'node:crypto';

/** A replay store cannot tell now. What is refused for it has this as its cause. */
export class ReplayStoreError extends Error {
  override name = 'ReplayStoreError';
}

/** Remembers what may be used once. */
export interface ReplayStore {
  /**
   * True for the first claim of `id`, false for every other one until `expiresAt`. Atomic. Rejects
   * when it cannot tell; the caller must then refuse.
   */
  claim(id: string, expiresAt: Date): Promise<boolean>;
  /** Tokens issued before this moment are beyond the store's memory and must be refused. */
  readonly remembersSince?: Date;
}

const SWEEP_EVERY_MS = 10_000;
/** Claims that are kept at once, about 100 MB of them. */
const MAX_CLAIMS = 1_000_000;

/**
 * A replay store for one process, in bounded memory: it rejects while there are too many claims. It
 * forgets at restart, and says so by `remembersSince`.
 */
export class MemoryReplayStore implements ReplayStore {
  readonly remembersSince = new Date();
  /** By their hashes, which take half the memory: there are as many as requests in some minutes. */
  readonly #claims = new Map<string, number>();
  readonly #maxClaims: number;
  #sweptAt = Date.now();

  constructor(maxClaims = MAX_CLAIMS) {
    this.#maxClaims = maxClaims;
  }

  async claim(id: string, expiresAt: Date): Promise<boolean> {
    const now = Date.now();
    if (now - this.#sweptAt > SWEEP_EVERY_MS) this.#sweep(now);
    const digest = hash('sha256', id, 'binary');
    const known = this.#claims.get(digest);
    if (known !== undefined && known >= now) return false;
    if (known === undefined && this.#claims.size >= this.#maxClaims) {
      throw new ReplayStoreError('there are too many claims');
    }
    this.#claims.set(digest, expiresAt.getTime());
    return true;
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [digest, expiresAt] of this.#claims) {
      if (expiresAt < now) this.#claims.delete(digest);
    }
  }
}
