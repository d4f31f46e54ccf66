import type { Database } from '../database.ts';
import type { Logger } from '../logger.ts';
import { recurring } from '../lookups/recurring.ts';
import { CHANGES, prunables } from './prunable.ts';
import { PruningElsewhereError, prune } from './prune.ts';

const CHANGES_MS = 60_000;
const ALL_MS = 60 * 60_000;

export interface PruningIntervals {
  changesMs?: number;
  allMs?: number;
}

/**
 * Removes what must not grow while the indexer runs: old changes each minute, all else each hour. What
 * people wrote who left is for the operator to remove.
 */
export class RegularPruning implements AsyncDisposable {
  readonly #opened = new AsyncDisposableStack();
  readonly #stop = new AbortController();

  constructor(
    db: Database,
    logger: Logger,
    { changesMs = CHANGES_MS, allMs = ALL_MS }: PruningIntervals = {},
  ) {
    const onError = (error: unknown) => {
      if (!(error instanceof PruningElsewhereError)) logger.warn({ err: error }, 'pruning failed');
    };
    const { signal } = this.#stop;
    const changes = async () => void (await prune(db, CHANGES, undefined, signal));
    const all = async () => {
      for (const [kind, prunable] of Object.entries(prunables({}))) {
        const removed = await prune(db, prunable, undefined, signal);
        if (removed > 0) logger.info({ kind, removed }, 'pruned');
      }
    };
    this.#opened.use(recurring(changesMs, changes, onError));
    this.#opened.use(recurring(allMs, all, onError));
    this.#opened.defer(() => this.#stop.abort());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}
