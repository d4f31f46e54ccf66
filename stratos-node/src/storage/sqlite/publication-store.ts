import type { Did } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import { SqlPublicationStore } from '../sql/publication-store.ts';
import type { ServiceTables } from '../sql/service-tables.ts';
import type { Turns } from './turns.ts';

export const PUBLISHED = 'SELECT publishedSeq FROM actor_publication WHERE did = ?';
export const ADVANCE = `INSERT INTO actor_publication (did, publishedSeq, dirty) VALUES (?, ?, 1)
  ON CONFLICT (did) DO UPDATE SET publishedSeq = excluded.publishedSeq`;

/** Publications, with what each commit needs as statements of their own. */
export class SqlitePublicationStore extends SqlPublicationStore {
  readonly #turns: Turns;

  constructor(db: Kysely<ServiceTables>, turns: Turns) {
    super(db);
    this.#turns = turns;
  }

  override async publishedSeq(did: Did): Promise<number> {
    const { prepare } = this.#turns;
    const row = await this.#turns.read(() => prepare<{ publishedSeq: number }>(PUBLISHED).get(did));
    return row?.publishedSeq ?? 0;
  }

  override async advance(did: Did, publishedSeq: number): Promise<void> {
    await this.#turns.write(() => this.#turns.prepare(ADVANCE).run(did, publishedSeq));
  }
}
