import { Pool, type PoolClient } from 'pg';
import type { Prisma } from '../generated/client.ts';
import { type ClientOptions, poolConfig, statementName } from './client.ts';
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

/**
 * Connections for reads that are many and small. A transaction of the Prisma client costs this process
 * several times as much as its statements do; here it is the statements, and nothing around them.
 */
export class ReadPool implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #names: Map<string, string> | undefined;
  readonly #follow: Follow;

  constructor(databaseUrl: string, options: ReadPoolOptions = {}) {
    this.#follow = options.follow ?? ((_what, _attributes, run) => run());
    this.#pool = new Pool(poolConfig(databaseUrl, options));
    this.#names = options.keepsPlans ? new Map() : undefined;
    // A dropped idle connection is replaced by the next query; unheard it would end the process.
    this.#pool.on('error', () => {});
  }

  /** Reads as of one moment. What is set with `set_config(…, true)` ends with it. */
  snapshot<T>(action: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#follow('snapshot', {}, () => this.#snapshot(action));
  }

  async #snapshot<T>(action: (transaction: Transaction) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let failure: unknown;
    try {
      await client.query('begin isolation level repeatable read read only');
      const result = await action(this.#transactionOf(client));
      await client.query('commit');
      return result;
    } catch (error) {
      failure = await client.query('rollback').then(
        () => undefined,
        (cause: Error) => cause,
      );
      throw error;
    } finally {
      client.release(failure instanceof Error ? failure : undefined);
    }
  }

  /** Reads outside of a transaction what is public. */
  async $queryRaw<T = unknown>(query: Prisma.Sql): Promise<T> {
    const client = await this.#pool.connect();
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
          const { rows } = await client.query({ text, values, name: this.#nameOf(text) });
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
