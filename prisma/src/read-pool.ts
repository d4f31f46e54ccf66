import { Pool, type PoolClient, types } from 'pg';
import type { Prisma } from '../generated/client.ts';
import { type ClientOptions, poolConfig, statementName } from './client.ts';
import { notAnswered, notConnected } from './database-away.ts';
import { PLANNER } from './queries/planner.ts';
import type { Transaction } from './queries/transaction.ts';

/** Runs something that is to be followed, of which it is told what it is. */
export type Follow = <T>(
  what: 'snapshot' | 'statement',
  attributes: Record<string, string>,
  run: () => Promise<T>,
) => Promise<T>;

export interface ReadPoolOptions extends ClientOptions {
  /** Follows transactions and their statements, of which it is told the text without values. */
  follow?: Follow;
}

const TRACED_TEXT = 60;
const PLANNED = Object.entries(PLANNER)
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ');

/**
 * Connections for reads that are many and small. A transaction of the Prisma client costs this process
 * several times as much as its statements do; here it is the statements, and nothing around them. Reads fail
 * with `DatabaseAwayError` where Postgres cannot be asked.
 */
export class ReadPool implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #names: Map<string, string> | undefined;
  readonly #follow: Follow;

  constructor(databaseUrl: string, options: ReadPoolOptions = {}) {
    this.#follow = options.follow ?? ((_what, _attributes, run) => run());
    const config = poolConfig(databaseUrl, options);
    this.#pool = new Pool({
      ...config,
      options: PLANNED,
      pipeline: true,
      types: { getTypeParser },
    });
    this.#names = options.keepsPlans ? new Map() : undefined;
    // A dropped idle connection is replaced by the next query; unheard it would end the process.
    this.#pool.on('error', () => {});
    // So would one that is dropped between the statements of a transaction, of which the next one fails.
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  /**
   * Reads as of one moment. What is set with `set_config(…, true)` ends with it. Statements are sent as they are
   * asked for, and those that do not wait for each other's rows all at once.
   */
  snapshot<T>(action: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#follow('snapshot', {}, () => this.#snapshot(action));
  }

  async #snapshot<T>(action: (transaction: Transaction) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch(notConnected);
    const { stream } = client.connection;
    stream.cork();
    const begun = client
      .query('begin isolation level repeatable read read only')
      .catch(notAnswered);
    const read = (async () => action(this.#transactionOf(client)))();
    stream.uncork();
    await Promise.allSettled([begun, read]);
    // What has only been read does not depend on how it ends; the connection waits for that.
    client.query('commit').then(
      () => client.release(),
      (error: Error) => client.release(error),
    );
    await begun;
    return read;
  }

  /** Reads in one statement what is public, or what it opens for itself. */
  async $queryRaw<T = unknown>(query: Prisma.Sql): Promise<T> {
    const client = await this.#pool.connect().catch(notConnected);
    try {
      return await this.#transactionOf(client).$queryRaw<T>(query);
    } finally {
      client.release();
    }
  }

  #transactionOf(client: PoolClient): Transaction {
    return {
      $queryRaw: <T>({ text, values }: Prisma.Sql) => {
        const statement = text.trim().slice(0, TRACED_TEXT);
        return this.#follow('statement', { statement }, async () => {
          const query = { text, values, name: this.#nameOf(text) };
          const { rows } = await client.query(query).catch(notAnswered);
          return rows as T;
        });
      },
    };
  }

  #nameOf(text: string): string | undefined {
    if (!this.#names) return undefined;
    const name = this.#names.get(text) ?? statementName(text);
    this.#names.set(text, name);
    return name;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }
}

const parseTimestamp = types.getTypeParser(types.builtins.TIMESTAMPTZ);

/** Most of what is read are rows with moments, which the driver takes apart by an expression. */
const getTypeParser: typeof types.getTypeParser = (oid, format) =>
  oid === types.builtins.TIMESTAMPTZ && format !== 'binary'
    ? toDate
    : types.getTypeParser(oid, format);

function toDate(text: string): Date {
  const date = text.endsWith('+00')
    ? new Date(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`)
    : undefined;
  return date?.getTime() ? date : parseTimestamp(text);
}
