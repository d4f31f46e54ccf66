import type { Database, Statement } from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { withPreparedStatements } from './prepared-statements.ts';
import { WalSync } from './wal-sync.ts';

/** Gives a statement, prepared once. */
export type Prepare = <Row>(sql: string) => Statement<unknown[], Row>;

/**
 * One open database. Most queries are made through Kysely; those that every request makes are
 * statements of their own, which run within one turn of the event loop.
 */
export class Connection<Tables> {
  readonly db: Kysely<Tables>;
  readonly prepare: Prepare;
  readonly #database: Database;
  readonly #synchronous: number;
  readonly #wal: WalSync;

  constructor(database: Database) {
    const dialect = new SqliteDialect({ database: withPreparedStatements(database) });
    const statements = new Map<string, Statement<unknown[], unknown>>();
    this.#database = database;
    this.#synchronous = Number(database.pragma('synchronous', { simple: true }));
    this.#wal = new WalSync(database.name);
    this.db = new Kysely<Tables>({ dialect });
    this.prepare = <Row>(sql: string) => {
      const known = statements.get(sql);
      const statement = known ?? database.prepare<unknown[], unknown>(withOnePlan(sql));
      if (!known) statements.set(sql, statement);
      return statement as Statement<unknown[], Row>;
    };
  }

  /** Runs a task of one turn outside of any transaction: at once, if none is under way. */
  async now<T>(task: () => T): Promise<T> {
    if (!this.#database.inTransaction) return task();
    return this.db.connection().execute(async () => task());
  }

  /** Runs a task of one turn that reads, and sees one moment: at once, if no transaction is under way. */
  async readNow<T>(task: () => T): Promise<T> {
    return this.now(() => this.#within('DEFERRED', task));
  }

  /**
   * Runs `task` in a transaction. What it does through Kysely must go through the instance that it
   * is given.
   */
  async transact<T>(
    mode: 'DEFERRED' | 'IMMEDIATE',
    task: (db: Kysely<Tables>) => Promise<T>,
  ): Promise<T> {
    return this.db.connection().execute(async (db) => {
      this.#begin(mode);
      try {
        const result = await task(db);
        this.#commit();
        return result;
      } catch (error) {
        this.#rollBack();
        throw error;
      }
    });
  }

  /**
   * Runs a task of one turn in a transaction, at once if none is under way. Afterwards it is
   * committed, and on disk as soon as {@link persist} says so.
   */
  async transactNow<T>(task: () => T): Promise<T> {
    return this.now(() => {
      this.#database.pragma('synchronous = NORMAL');
      try {
        return this.#within('IMMEDIATE', task);
      } finally {
        this.#database.pragma(`synchronous = ${this.#synchronous}`);
      }
    });
  }

  #within<T>(mode: 'DEFERRED' | 'IMMEDIATE', task: () => T): T {
    this.#begin(mode);
    try {
      const result = task();
      this.#commit();
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  /** Runs a part of a transaction that leaves nothing if it fails. */
  attempt<T>(task: () => T): T {
    this.prepare('SAVEPOINT attempt').run();
    try {
      const result = task();
      this.prepare('RELEASE attempt').run();
      return result;
    } catch (error) {
      this.prepare('ROLLBACK TO attempt').run();
      this.prepare('RELEASE attempt').run();
      throw error;
    }
  }

  /** Returns once all that was committed is on disk, whatever `synchronous` is set to. */
  async persist(): Promise<void> {
    await this.#wal.sync();
  }

  async close(): Promise<void> {
    await this.#wal[Symbol.asyncDispose]();
    await this.db.destroy();
    // @NOTE Kysely leaves a database open that it never used
    this.#database.close();
  }

  #begin(mode: 'DEFERRED' | 'IMMEDIATE'): void {
    this.prepare(`BEGIN ${mode}`).run();
  }

  #commit(): void {
    this.prepare('COMMIT').run();
  }

  #rollBack(): void {
    // @NOTE SQLite has rolled back already after some errors
    if (this.#database.inTransaction) this.prepare('ROLLBACK').run();
  }
}

/**
 * A statement that is planned once: for a bare parameter of a join or of `LIMIT`, SQLite would plan
 * anew each time that it has another value.
 */
function withOnePlan(sql: string): string {
  return sql.replaceAll('?', '+?');
}
