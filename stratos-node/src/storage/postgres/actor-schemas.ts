import type { Did } from '@stratos/protocol';
import { type Kysely, sql, type Transaction } from 'kysely';
import pg from 'pg';
import type { ActorTables } from '../sql/actor-tables.ts';
import { checkVersion, migrateWithin } from '../sql/migrate.ts';
import { actorMigrations } from './actor-schema.ts';
import { actorSchemaName } from './actor-schema-name.ts';
import { advisoryKey } from './advisory-key.ts';
import { transact } from './transact.ts';

/** Actors that are remembered to have a schema of the newest version. */
const KEPT = 100_000;
/** How long one waits for other processes that read an actor who is to go. */
const DROP_WITHIN_MS = 10_000;
const UNDEFINED_TABLE = '42P01';

/** The schemas of actors: made, brought to the newest version, found and dropped. */
export class ActorSchemas {
  readonly #db: Kysely<ActorTables>;
  readonly #ready = new Set<Did>();

  constructor(db: Kysely<ActorTables>) {
    this.#db = db;
  }

  /** The name of an actor's schema, of the newest version; undefined if there is none. */
  async find(did: Did): Promise<string | undefined> {
    const schema = actorSchemaName(did);
    if (this.#ready.has(did)) return schema;
    if (!(await this.#exists(schema))) return undefined;
    const { rows } = await sql<{ version: number | null }>`
      SELECT max(version) AS version FROM ${sql.table(`${schema}.stratos_migration`)}`.execute(
      this.#db,
    );
    const version = rows[0]?.version ?? 0;
    checkVersion(version, actorMigrations);
    if (version < actorMigrations.length) await this.#migrate(schema, async () => undefined);
    this.#remember(did);
    return schema;
  }

  /** Makes an actor's schema unless there is one, and fills it, in one transaction. */
  async create(did: Did, fill: (tx: Kysely<ActorTables>) => Promise<void>): Promise<void> {
    await this.#migrate(actorSchemaName(did), fill);
    this.#remember(did);
  }

  async drop(did: Did): Promise<void> {
    const schema = actorSchemaName(did);
    this.#ready.delete(did);
    const begin = `${beginLocked(schema)}; SET LOCAL lock_timeout = ${DROP_WITHIN_MS}`;
    await transact(this.#db, begin, (tx) =>
      tx.schema.dropSchema(schema).ifExists().cascade().execute(),
    );
    this.#ready.delete(did);
  }

  /** Undefined if `task` fails because another process dropped the actor's schema. */
  async unlessGone<T>(did: Did, task: () => Promise<T>): Promise<T | undefined> {
    try {
      return await task();
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== UNDEFINED_TABLE) throw error;
      this.#ready.delete(did);
      if (await this.#exists(actorSchemaName(did))) throw error;
      return undefined;
    }
  }

  async #migrate(schema: string, fill: (tx: Kysely<ActorTables>) => Promise<void>): Promise<void> {
    const begin = `${beginLocked(schema)}; CREATE SCHEMA IF NOT EXISTS ${schema};
      SET LOCAL search_path TO ${schema}`;
    await transact(this.#db, begin, async (tx) => {
      await migrateWithin(tx as unknown as Transaction<unknown>, actorMigrations);
      await fill(tx);
    });
  }

  async #exists(schema: string): Promise<boolean> {
    const { rows } = await sql<{ found: boolean }>`
      SELECT to_regclass(${`${schema}.stratos_migration`}) IS NOT NULL AS found`.execute(this.#db);
    return rows[0]?.found === true;
  }

  #remember(did: Did): void {
    if (this.#ready.size >= KEPT) this.#ready.clear();
    this.#ready.add(did);
  }
}

function beginLocked(schema: string): string {
  return `BEGIN; SET LOCAL client_min_messages TO warning;
    SELECT pg_advisory_xact_lock(${advisoryKey(`schema:${schema}`)})`;
}
