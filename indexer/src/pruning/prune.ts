import { type Database, inTransaction } from '../database.ts';
import type { Prunable } from './prunable.ts';

/** "pruning", as a number. */
const TURN = 0x7072756e696e67n;

/** Another process is pruning at the moment. */
export class PruningElsewhereError extends Error {
  override name = 'PruningElsewhereError';

  constructor() {
    super('another process is pruning at the moment');
  }
}

/**
 * Removes all of something that need not be kept, a part in each transaction. One process at a time does.
 *
 * @param onRemoved - told how much with each part
 * @returns how much
 * @throws PruningElsewhereError
 */
export async function prune(
  db: Database,
  prunable: Prunable,
  onRemoved: (count: number) => void = () => {},
  signal?: AbortSignal,
): Promise<number> {
  let all = 0;
  while (!signal?.aborted) {
    const removed = await inTransaction(db, async (tx) => {
      const [turn] = await tx.$queryRaw<{ is_ours: boolean }[]>`
        select pg_try_advisory_xact_lock(${TURN}) as is_ours`;
      if (!turn?.is_ours) throw new PruningElsewhereError();
      return prunable.removeSome(tx);
    });
    if (removed === 0) break;
    all += removed;
    onRemoved(removed);
  }
  return all;
}
