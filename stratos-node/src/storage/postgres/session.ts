import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from '../../logger.ts';
import { advisoryKey } from './advisory-key.ts';
import { clientConfig } from './pool.ts';

const ANSWER_WITHIN_MS = 10_000;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;
const FIRST_POLL_MS = 2;
const LONGEST_POLL_MS = 50;

/** The session is not connected, or was lost meanwhile. */
export class SessionLostError extends Error {
  override name = 'SessionLostError';
}

/**
 * The one connection by which a process takes part in what the processes on a database share: locks
 * that go with the process, and notifications. Nothing on it ever waits in the database, so it
 * serves everybody. A lost connection is made anew; its locks are then free for others.
 */
export class PostgresSession implements AsyncDisposable {
  /** Names this process among those on the database. */
  readonly processId = randomUUID();
  readonly #url: string;
  readonly #logger: Logger;
  readonly #listeners = new Map<string, (payload: string) => void>();
  readonly #onReconnect = new Set<() => Promise<void>>();
  readonly #held = new Set<string>();
  readonly #stopped = new AbortController();
  #client: pg.Client | undefined;
  #lastQuery: Promise<unknown> = Promise.resolve();
  #connecting: Promise<void> | undefined;

  private constructor(url: string, logger: Logger) {
    this.#url = url;
    this.#logger = logger;
  }

  static async open(url: string, logger: Logger): Promise<PostgresSession> {
    const session = new PostgresSession(url, logger);
    await session.#connect();
    return session;
  }

  /** Hears notifications of a channel, other processes' and its own. */
  async listen(channel: string, heard: (payload: string) => void): Promise<void> {
    this.#listeners.set(channel, heard);
    await this.#query(`LISTEN ${pg.escapeIdentifier(channel)}`);
  }

  async notify(channel: string, payload: string): Promise<void> {
    await this.#query('SELECT pg_notify($1, $2)', [channel, payload]);
  }

  /** Runs `task` whenever the connection was lost and made anew. */
  onReconnect(task: () => Promise<void>): void {
    this.#onReconnect.add(task);
  }

  /** Takes a lock unless another process, or another task of this one, has it. */
  async tryLock(name: string): Promise<AsyncDisposable | undefined> {
    // @NOTE Postgres would give a session the same lock twice
    if (this.#held.has(name)) return undefined;
    this.#held.add(name);
    const client = this.#client;
    let isTaken = false;
    try {
      const key = advisoryKey(name);
      const [row] = await this.#query('SELECT pg_try_advisory_lock($1) AS taken', [key]);
      isTaken = row?.['taken'] === true;
    } finally {
      if (!isTaken) this.#held.delete(name);
    }
    return isTaken ? { [Symbol.asyncDispose]: () => this.#unlock(name, client) } : undefined;
  }

  /** Takes a lock, or gives up after `withinMs`. */
  async lock(name: string, withinMs: number): Promise<AsyncDisposable | undefined> {
    const deadline = Date.now() + withinMs;
    for (let wait = FIRST_POLL_MS; ; wait = Math.min(wait * 2, LONGEST_POLL_MS)) {
      const lock = await this.tryLock(name);
      if (lock || Date.now() >= deadline || this.#stopped.signal.aborted) return lock;
      await sleep(wait * (0.5 + Math.random()));
    }
  }

  /** Whether a process is connected to the database. */
  async isAlive(processId: string): Promise<boolean> {
    if (processId === this.processId) return true;
    await using free = await this.tryLock(lifeOf(processId));
    return free === undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#connecting?.catch(() => undefined);
    // @NOTE the server takes a moment to notice the end of a connection
    await this.#query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  async #unlock(name: string, client: pg.Client | undefined): Promise<void> {
    try {
      // @NOTE with its connection the lock is gone
      if (client !== this.#client) return;
      await this.#query('SELECT pg_advisory_unlock($1)', [advisoryKey(name)]);
    } catch (error) {
      if (!(error instanceof SessionLostError)) throw error;
    } finally {
      this.#held.delete(name);
    }
  }

  #query(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    const result = this.#lastQuery.then(() => this.#queryNow(text, values));
    this.#lastQuery = result.catch(() => undefined);
    return result;
  }

  async #queryNow(text: string, values: unknown[]): Promise<Record<string, unknown>[]> {
    const client = this.#client;
    if (!client) throw new SessionLostError('Postgres cannot be reached');
    try {
      return (await client.query(text, values)).rows;
    } catch (cause) {
      if (cause instanceof pg.DatabaseError && client === this.#client) throw cause;
      this.#lost(client);
      throw new SessionLostError('the connection to Postgres was lost', { cause });
    }
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({ ...clientConfig(this.#url), query_timeout: ANSWER_WITHIN_MS });
    client.on('error', () => this.#lost(client));
    client.on('end', () => this.#lost(client));
    client.on('notification', ({ channel, payload }) =>
      this.#listeners.get(channel)?.(payload ?? ''),
    );
    try {
      await this.#begin(client);
    } catch (error) {
      client.end().catch(() => undefined);
      throw error;
    }
    this.#client = client;
  }

  async #begin(client: pg.Client): Promise<void> {
    await client.connect();
    // @NOTE shared, so that an own connection which the server still believes in is not in the way
    await client.query('SELECT pg_advisory_lock_shared($1)', [advisoryKey(lifeOf(this.processId))]);
    for (const channel of this.#listeners.keys()) {
      await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    }
  }

  #lost(client: pg.Client): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    client.end().catch(() => undefined);
    if (this.#stopped.signal.aborted) return;
    this.#logger.warn('the session with Postgres was lost');
    this.#connecting = this.#connectAgain();
  }

  async #connectAgain(): Promise<void> {
    const { signal } = this.#stopped;
    for (let wait = FIRST_RETRY_MS; !signal.aborted; wait = Math.min(wait * 2, LONGEST_RETRY_MS)) {
      try {
        await sleep(wait, undefined, { signal });
        await this.#connect();
        for (const task of this.#onReconnect) await task();
        return;
      } catch (error) {
        if (!signal.aborted) {
          const reason = error instanceof Error ? error.name : 'unknown';
          this.#logger.warn({ reason }, 'Postgres cannot be reached');
        }
      }
    }
  }
}

function lifeOf(processId: string): string {
  return `process:${processId}`;
}
