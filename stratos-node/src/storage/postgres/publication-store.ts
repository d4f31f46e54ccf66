import type { Did } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type { PublicationStore } from '../service-storage.ts';
import type { PostgresServiceTables } from './service-tables.ts';
import type { PostgresSession } from './session.ts';

/** What this process marked, and which others are known to be gone. */
export class ProcessMarks {
  readonly session: Pick<PostgresSession, 'processId' | 'isAlive'>;
  readonly marked = new Set<Did>();
  readonly gone = new Set<string>();

  constructor(session: Pick<PostgresSession, 'processId' | 'isAlive'>) {
    this.session = session;
  }
}

/** Publications of several processes: a mark belongs to the process that set it, while that lives. */
export class PostgresPublicationStore implements PublicationStore {
  readonly #db: Kysely<PostgresServiceTables>;
  readonly #marks: ProcessMarks;

  constructor(db: Kysely<PostgresServiceTables>, marks: ProcessMarks) {
    this.#db = db;
    this.#marks = marks;
  }

  async publishedSeq(did: Did): Promise<number> {
    const row = await this.#db
      .selectFrom('actor_publication')
      .select('publishedSeq')
      .where('did', '=', did)
      .executeTakeFirst();
    return row?.publishedSeq ?? 0;
  }

  async advance(did: Did, publishedSeq: number): Promise<void> {
    await this.#db
      .insertInto('actor_publication')
      .values({ did, publishedSeq })
      .onConflict((conflict) => conflict.column('did').doUpdateSet({ publishedSeq }))
      .execute();
  }

  async markDirty(did: Did): Promise<void> {
    this.#marks.marked.add(did);
    await this.#mark([did]);
  }

  /** Sets every mark of this process anew, in case that others took it for gone. */
  async markAgain(): Promise<void> {
    const marked = [...this.#marks.marked];
    while (marked.length > 0) await this.#mark(marked.splice(0, 1_000));
  }

  async dirtyActors(): Promise<Did[]> {
    const { session, gone } = this.#marks;
    const rows = await this.#db.selectFrom('actor_mark').select('process').distinct().execute();
    for (const { process } of rows) if (!(await session.isAlive(process))) gone.add(process);
    if (gone.size === 0) return [];
    const marked = await this.#db
      .selectFrom('actor_mark')
      .select('did')
      .distinct()
      .where('process', 'in', [...gone])
      .execute();
    return marked.map(({ did }) => did);
  }

  async recovered(did: Did): Promise<void> {
    const gone = [...this.#marks.gone];
    if (gone.length === 0) return;
    await this.#db
      .deleteFrom('actor_mark')
      .where('did', '=', did)
      .where('process', 'in', gone)
      .execute();
  }

  async markClean(did: Did): Promise<void> {
    this.#marks.marked.delete(did);
    await this.#db
      .deleteFrom('actor_mark')
      .where('did', '=', did)
      .where('process', '=', this.#marks.session.processId)
      .execute();
  }

  async #mark(dids: readonly Did[]): Promise<void> {
    const process = this.#marks.session.processId;
    await this.#db
      .insertInto('actor_mark')
      .values(dids.map((did) => ({ process, did })))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}
