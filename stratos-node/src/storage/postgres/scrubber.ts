import { type Kysely, sql } from 'kysely';
import type { Logger } from '../../logger.ts';
import type { ActorTables } from '../sql/actor-tables.ts';

export interface ScrubTiming {
  /** Wait after the first deletion, so that one pass serves many. */
  delayMs: number;
  /** How long a pass waits for readers of an actor before it is put off. */
  lockMs: number;
  /** How long a node that stops goes on with what waits. */
  stopWithinMs: number;
}

const TIMING: ScrubTiming = { delayMs: 10_000, lockMs: 1_000, stopWithinMs: 3_000 };

const TABLES_WITH_CONTENT = ['stratos_repo_block', 'stratos_taken_down'];

/**
 * Removes what deleted rows leave behind. Postgres keeps a deleted row in its file, and an ordinary
 * vacuum leaves its bytes there until something else takes the place. So the tables with content
 * are written anew, one actor at a time and never on the way of a request.
 */
export class Scrubber implements AsyncDisposable {
  readonly #db: Kysely<ActorTables>;
  readonly #logger: Logger;
  readonly #timing: ScrubTiming;
  readonly #waiting = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #passing: Promise<void> | undefined;
  #deadline = Number.POSITIVE_INFINITY;

  constructor(db: Kysely<ActorTables>, logger: Logger, timing = TIMING) {
    this.#db = db;
    this.#logger = logger;
    this.#timing = timing;
  }

  add(schema: string): void {
    this.#waiting.add(schema);
    if (!this.#passing) this.#timer ??= setTimeout(() => this.#start(), this.#timing.delayMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#deadline = Date.now() + this.#timing.stopWithinMs;
    clearTimeout(this.#timer);
    await this.#passing;
    await this.#pass();
    if (this.#waiting.size === 0) return;
    this.#logger.warn({ actors: this.#waiting.size }, 'files of deleted content are not clean yet');
  }

  #start(): void {
    this.#timer = undefined;
    this.#passing = this.#pass().finally(() => {
      this.#passing = undefined;
      const [next] = this.#waiting;
      if (next !== undefined && Date.now() < this.#deadline) this.add(next);
    });
  }

  async #pass(): Promise<void> {
    for (const schema of [...this.#waiting]) {
      if (Date.now() >= this.#deadline) return;
      this.#waiting.delete(schema);
      try {
        await this.#rewrite(schema);
      } catch (error) {
        if (!isGone(error)) this.#waiting.add(schema);
        this.#logger.debug({ err: error }, 'deleted content will be removed later');
      }
    }
  }

  async #rewrite(schema: string): Promise<void> {
    await this.#db.connection().execute(async (db) => {
      const { lockMs } = this.#timing;
      await sql.raw(`SET lock_timeout = ${lockMs}`).execute(db);
      try {
        for (const table of TABLES_WITH_CONTENT) {
          await sql.raw(`VACUUM (FULL) ${schema}.${table}`).execute(db);
        }
      } finally {
        await sql`RESET lock_timeout`.execute(db);
      }
    });
  }
}

function isGone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === '42P01' || code === '3F000';
}
