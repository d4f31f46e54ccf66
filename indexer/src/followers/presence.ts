import { randomUUID } from 'node:crypto';
import type { Database } from '../database.ts';
import type { Logger } from '../logger.ts';
import { type Recurring, recurring } from '../lookups/recurring.ts';

/** Milliseconds after its last word for which an indexer is taken for alive. */
export const ALIVE_FOR_MS = 8_000;
const BEAT_MS = 1_000;

/**
 * That this indexer is running, as the others see it. What it follows stays its own for as long; after
 * that, anybody may take it over.
 */
export class Presence implements AsyncDisposable {
  readonly id: string;
  /** Indexers that are running, this one included. */
  living = 1;
  /** When it last said so. */
  #saidAt = Number.NEGATIVE_INFINITY;
  readonly #db: Database;
  readonly #logger: Logger;
  readonly #name: string | undefined;
  #beats: Recurring | undefined;

  /** @param name - of this indexer, if it has one: what bore it before is no longer there */
  constructor(db: Database, logger: Logger, name?: string) {
    this.#db = db;
    this.#logger = logger;
    this.#name = name;
    this.id = name === undefined ? randomUUID() : `${name}/${randomUUID()}`;
  }

  /** Begins to be there, before anything is claimed. */
  async start(): Promise<void> {
    if (this.#name !== undefined) {
      await this.#db.follower.deleteMany({ where: { id: { startsWith: `${this.#name}/` } } });
    }
    await this.#beat();
    const onError = (error: unknown) =>
      this.#logger.warn({ err: error }, 'cannot say that it is alive');
    this.#beats = recurring(BEAT_MS, () => this.#beat(), onError);
  }

  /** Whether the others can know that this indexer is there: the database takes what is written. */
  get isHeard(): boolean {
    return performance.now() - this.#saidAt < ALIVE_FOR_MS / 2;
  }

  async #beat(): Promise<void> {
    const [row] = await this.#db.$queryRaw<{ living: number }[]>`
      with said as (
        insert into stratos_follower (id, alive_until)
        values (${this.id}, now() + ${ALIVE_FOR_MS} * interval '1 ms')
        on conflict (id) do update set alive_until = excluded.alive_until
      ), forgotten as (
        delete from stratos_follower
        where alive_until < now() - interval '1 hour' and id <> ${this.id}
      )
      select 1 + count(*)::int as living from stratos_follower
      where alive_until > now() and id <> ${this.id}`;
    this.living = row?.living ?? 1;
    this.#saidAt = performance.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#beats?.[Symbol.asyncDispose]();
    await this.#db.follower.deleteMany({ where: { id: this.id } }).catch(() => {});
  }
}
