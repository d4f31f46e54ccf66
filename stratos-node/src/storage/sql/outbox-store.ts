import type { Did } from '@stratos/protocol';
import { type Kysely, sql } from 'kysely';
import type {
  ListJobs,
  OutboxHead,
  OutboxJob,
  OutboxStore,
  OutboxSummary,
  WaitingJob,
} from '../service-storage.ts';
import type { ServiceTables } from './service-tables.ts';

export class SqlOutboxStore implements OutboxStore {
  readonly #db: Kysely<ServiceTables>;

  constructor(db: Kysely<ServiceTables>) {
    this.#db = db;
  }

  /** There is one process. */
  async claim(_did: Did): Promise<AsyncDisposable | undefined> {
    return { [Symbol.asyncDispose]: async () => undefined };
  }

  async add(did: Did, job: OutboxJob): Promise<void> {
    const createdAt = new Date().toISOString();
    const row = {
      did,
      job: JSON.stringify(job),
      attempts: 0,
      dueAt: 0,
      parkedReason: null,
      createdAt,
    };
    await this.#db.insertInto('outbox').values(row).execute();
  }

  async heads(limit: number, except: { people: readonly Did[]; pdses: readonly string[] }) {
    const rows = await this.#headsQuery()
      .where('outbox.parkedReason', 'is', null)
      .$if(except.people.length > 0, (query) => query.where('outbox.did', 'not in', except.people))
      .$if(except.pdses.length > 0, (query) =>
        query.where(
          sql<string>`coalesce(${sql.ref('enrollment.pdsEndpoint')}, '')`,
          'not in',
          except.pdses,
        ),
      )
      .orderBy('outbox.dueAt')
      .limit(limit)
      .execute();
    return rows.map(toHead);
  }

  async head(did: Did): Promise<OutboxHead | undefined> {
    const row = await this.#headsQuery().where('outbox.did', '=', did).executeTakeFirst();
    return row && toHead(row);
  }

  async done({ did, id }: Pick<OutboxHead, 'did' | 'id'>): Promise<OutboxHead | undefined> {
    await this.#db.deleteFrom('outbox').where('id', '=', id).execute();
    return this.head(did);
  }

  async retry(id: number, attempts: number, dueAt: number): Promise<void> {
    await this.#db
      .updateTable('outbox')
      .set({ attempts, dueAt: Math.ceil(dueAt) })
      .where('id', '=', id)
      .execute();
  }

  async park(id: number, parkedReason: string): Promise<void> {
    await this.#db.updateTable('outbox').set({ parkedReason }).where('id', '=', id).execute();
  }

  async unpark(did: Did): Promise<void> {
    await this.#db
      .updateTable('outbox')
      .set({ parkedReason: null, attempts: 0, dueAt: Date.now() })
      .where('did', '=', did)
      .execute();
  }

  async requeue(did: Did | undefined): Promise<number> {
    const { numUpdatedRows } = await this.#db
      .updateTable('outbox')
      .set({ parkedReason: null, attempts: 0, dueAt: Date.now() })
      .where('parkedReason', 'is not', null)
      .$if(did !== undefined, (query) => query.where('did', '=', did as Did))
      .executeTakeFirstOrThrow();
    return Number(numUpdatedRows);
  }

  async list({ did, parkedOnly, after, limit }: ListJobs): Promise<WaitingJob[]> {
    const rows = await this.#db
      .selectFrom('outbox')
      .select(['id', 'did', 'job', 'attempts', 'dueAt', 'parkedReason', 'createdAt'])
      .where('id', '>', after)
      .$if(did !== undefined, (query) => query.where('did', '=', did as Did))
      .$if(parkedOnly, (query) => query.where('parkedReason', 'is not', null))
      .orderBy('id')
      .limit(limit)
      .execute();
    return rows.map(({ createdAt, job, ...row }) => ({
      ...row,
      job: JSON.parse(job),
      dueAt: Math.max(row.dueAt, Date.parse(createdAt)),
    }));
  }

  async clear(did: Did): Promise<void> {
    await this.#db.deleteFrom('outbox').where('did', '=', did).execute();
  }

  async count(did: Did): Promise<number> {
    const { count } = await this.#db
      .selectFrom('outbox')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('did', '=', did)
      .executeTakeFirstOrThrow();
    return count;
  }

  async summary(): Promise<OutboxSummary> {
    const stuck = this.#db.selectFrom('outbox').select('did').where('parkedReason', 'is not', null);
    const outbox = this.#db.selectFrom('outbox');
    const { waiting } = await outbox
      .select(({ fn }) => fn.countAll<number>().as('waiting'))
      .executeTakeFirstOrThrow();
    const moving = await outbox
      .select(({ fn }) => [fn.countAll<number>().as('jobs'), fn.min('createdAt').as('oldest')])
      .where('did', 'not in', stuck)
      .executeTakeFirstOrThrow();
    const heads = outbox.where('parkedReason', 'is', null).where('id', 'in', ({ selectFrom }) =>
      selectFrom('outbox as first')
        .select(({ fn }) => fn.min('first.id').as('id'))
        .groupBy('first.did'),
    );
    const untried = await heads
      .select(({ fn }) => fn.min('createdAt').as('since'))
      .where('dueAt', '=', 0)
      .executeTakeFirst();
    const tried = await heads
      .select(({ fn }) => fn.min('dueAt').as('since'))
      .where('dueAt', '>', 0)
      .executeTakeFirst();
    const due = [
      ...(untried?.since ? [Date.parse(untried.since)] : []),
      ...(tried?.since ? [Number(tried.since)] : []),
    ];
    return {
      waiting: Number(waiting),
      parked: Number(waiting) - Number(moving.jobs),
      oldest: moving.oldest ?? undefined,
      dueSince: due.length > 0 ? Math.min(...due) : undefined,
    };
  }

  #headsQuery() {
    return this.#db
      .selectFrom('outbox')
      .leftJoin('enrollment', 'enrollment.did', 'outbox.did')
      .select(['outbox.id', 'outbox.did', 'outbox.job', 'outbox.attempts', 'outbox.dueAt'])
      .select('outbox.parkedReason')
      .select(sql<string>`coalesce(${sql.ref('enrollment.pdsEndpoint')}, '')`.as('pdsEndpoint'))
      .where('outbox.id', 'in', ({ selectFrom }) =>
        selectFrom('outbox as first')
          .select(({ fn }) => fn.min('first.id').as('id'))
          .groupBy('first.did'),
      );
  }
}

function toHead(row: Omit<OutboxHead, 'job'> & { job: string }): OutboxHead {
  return { ...row, job: JSON.parse(row.job) };
}
