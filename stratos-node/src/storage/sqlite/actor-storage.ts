import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Did } from '@stratos/protocol';
import { type Kysely, sql } from 'kysely';
import {
  type ActorReader,
  type ActorStorage,
  type ActorTransactor,
  UnknownActorError,
} from '../actor-storage.ts';
import { SqlActorReader } from '../sql/actor-reader.ts';
import type { ActorTables } from '../sql/actor-tables.ts';
import { SqlActorTransactor } from '../sql/actor-transactor.ts';
import { actorMigrations } from './actor-schema.ts';
import { openDatabase } from './database.ts';
import { HandlePool } from './handle-pool.ts';

/** Databases that stay open at once. */
const MAX_OPEN_ACTORS = 200;

/** Where the database of an actor lies: `{dataDir}/actors/{sha256(did)[0..2]}/{did}/stratos.sqlite`. */
export function actorDatabasePath(dataDir: string, did: Did): string {
  const shard = createHash('sha256').update(did).digest('hex').slice(0, 2);
  return join(dataDir, 'actors', shard, did, 'stratos.sqlite');
}

/** One SQLite database per actor. */
export class SqliteActorStorage implements ActorStorage {
  readonly #dataDir: string;
  readonly #pool: HandlePool<Did, Kysely<ActorTables>>;

  constructor(dataDir: string, nodeDid: Did, maxOpen = MAX_OPEN_ACTORS) {
    this.#dataDir = dataDir;
    const migrations = actorMigrations(nodeDid);
    this.#pool = new HandlePool(maxOpen, {
      open: (did) => openDatabase<ActorTables>(actorDatabasePath(dataDir, did), migrations),
      close: (db) => db.destroy(),
    });
  }

  async create(did: Did, signingKey: Uint8Array): Promise<void> {
    await this.#pool.use(did, (db) =>
      db.transaction().execute((tx) => new SqlActorTransactor(did, tx).putSigningKey(signingKey)),
    );
  }

  async read<T>(did: Did, read: (actor: ActorReader) => Promise<T>): Promise<T | undefined> {
    if (!this.#exists(did)) return undefined;
    return this.#pool.use(did, (db) =>
      db.transaction().execute((tx) => read(new SqlActorReader(did, tx))),
    );
  }

  async write<T>(did: Did, write: (actor: ActorTransactor) => Promise<T>): Promise<T> {
    if (!this.#exists(did)) throw new UnknownActorError('the actor has no store');
    return this.#pool.use(did, (db) =>
      db.transaction().execute((tx) => write(new SqlActorTransactor(did, tx))),
    );
  }

  async scrub(did: Did): Promise<void> {
    // @NOTE pages are overwritten when freed (secure_delete); what was there before is still in the log
    await this.#pool.use(did, (db) => sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(db));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  #exists(did: Did): boolean {
    return this.#pool.has(did) || existsSync(actorDatabasePath(this.#dataDir, did));
  }
}
