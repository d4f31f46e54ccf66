import type { ReplayStore } from '@stratos/protocol';
import type { Turns } from './turns.ts';

const CLAIM = 'INSERT INTO replay (id, expiresAt) VALUES (?, ?) ON CONFLICT DO NOTHING';
const PRUNE = 'DELETE FROM replay WHERE expiresAt < ?';
const PRUNE_EVERY_MS = 60_000;

/** Remembers used tokens across restarts, for as long as they would be valid. */
export class SqliteReplayStore implements ReplayStore {
  readonly #turns: Turns;
  #prunedAt = 0;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  async claim(id: string, expiresAt: Date): Promise<boolean> {
    const { prepare } = this.#turns;
    const now = Date.now();
    const isPruneDue = now - this.#prunedAt > PRUNE_EVERY_MS;
    if (isPruneDue) this.#prunedAt = now;
    return this.#turns.write(() => {
      if (isPruneDue) prepare(PRUNE).run(now);
      return prepare(CLAIM).run(id, expiresAt.getTime()).changes === 1;
    });
  }
}
