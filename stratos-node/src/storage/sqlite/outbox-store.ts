import type { Did } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type { OutboxHead, OutboxJob } from '../service-storage.ts';
import { SqlOutboxStore } from '../sql/outbox-store.ts';
import type { ServiceTables } from '../sql/service-tables.ts';
import type { Turns } from './turns.ts';

export const ADD = `INSERT INTO outbox (did, job, attempts, dueAt, parkedReason, createdAt)
  VALUES (?, ?, 0, 0, NULL, ?)`;
const DONE = 'DELETE FROM outbox WHERE id = ?';
const HEAD = `
  SELECT outbox.id, outbox.did, job, attempts, dueAt, parkedReason,
    coalesce(enrollment.pdsEndpoint, '') AS pdsEndpoint
  FROM outbox LEFT JOIN enrollment ON enrollment.did = outbox.did
  WHERE outbox.did = ? ORDER BY outbox.id LIMIT 1`;

/** Of each person, however many jobs they have: it goes from one person to the next in the index. */
const HEADS = `
  WITH RECURSIVE person (did) AS (
    SELECT min(did) FROM outbox
    UNION ALL
    SELECT (SELECT min(did) FROM outbox WHERE outbox.did > person.did) FROM person
    WHERE person.did IS NOT NULL)
  SELECT head.id, head.did, head.job, head.attempts, head.dueAt, head.parkedReason,
    coalesce(enrollment.pdsEndpoint, '') AS pdsEndpoint
  FROM person
  JOIN outbox AS head ON head.id = (SELECT min(id) FROM outbox WHERE outbox.did = person.did)
  LEFT JOIN enrollment ON enrollment.did = person.did
  WHERE head.parkedReason IS NULL
    AND head.did NOT IN (SELECT value FROM json_each(?))
    AND coalesce(enrollment.pdsEndpoint, '') NOT IN (SELECT value FROM json_each(?))
  ORDER BY head.dueAt LIMIT ?`;

type Row = Omit<OutboxHead, 'job'> & { job: string };

/** The outbox, with what each job needs as statements of their own. */
export class SqliteOutboxStore extends SqlOutboxStore {
  readonly #turns: Turns;

  constructor(db: Kysely<ServiceTables>, turns: Turns) {
    super(db);
    this.#turns = turns;
  }

  override async add(did: Did, job: OutboxJob): Promise<void> {
    const row = [did, JSON.stringify(job), new Date().toISOString()];
    await this.#turns.write(() => this.#turns.prepare(ADD).run(...row));
  }

  override async heads(
    limit: number,
    { people, pdses }: { people: readonly Did[]; pdses: readonly string[] },
  ): Promise<OutboxHead[]> {
    const except = [JSON.stringify(people), JSON.stringify(pdses)];
    const rows = await this.#turns.read(() =>
      this.#turns.prepare<Row>(HEADS).all(...except, limit),
    );
    return rows.map(toHead);
  }

  override async head(did: Did): Promise<OutboxHead | undefined> {
    return this.#turns.read(() => this.#head(did));
  }

  override async done({ did, id }: Pick<OutboxHead, 'did' | 'id'>) {
    return this.#turns.write(() => {
      this.#turns.prepare(DONE).run(id);
      return this.#head(did);
    });
  }

  #head(did: Did): OutboxHead | undefined {
    const row = this.#turns.prepare<Row>(HEAD).get(did);
    return row && toHead(row);
  }
}

function toHead(row: Row): OutboxHead {
  return { ...row, job: JSON.parse(row.job) };
}
