import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AtUri, Did } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import {
  type ActorReader,
  type ActorSnapshot,
  type ActorStorage,
  type ActorTransactor,
  type RecordContent,
  UnknownActorError,
} from '../actor-storage.ts';
import type { ActorTables } from '../sql/actor-tables.ts';
import { actorMigrations } from './actor-schema.ts';
import type { Connection } from './connection.ts';
import { openDatabase } from './database.ts';
import { HandlePool } from './handle-pool.ts';
import { Snapshots } from './snapshots.ts';
import { contentsOf, SqliteActor } from './sqlite-actor.ts';
import { syncFoldersUpTo } from './sync-folder.ts';

/** Databases that stay open at once. */
const MAX_OPEN_ACTORS = 200;
/** Of each of them. The default of the driver is 16 MB, which would make gigabytes. */
const PAGE_CACHE_KIB = 1_000;
/** Of each log, 8 MB. A write changes some twenty pages, and while it is emptied everybody waits. */
const CHECKPOINT_PAGES = 2_000;

/** Where the database of an actor lies: `{dataDir}/actors/{sha256(did)[0..2]}/{did}/stratos.sqlite`. */
export function actorDatabasePath(dataDir: string, did: Did): string {
  const shard = createHash('sha256').update(did).digest('hex').slice(0, 2);
  return join(dataDir, 'actors', shard, did, 'stratos.sqlite');
}

/** One SQLite database per actor. */
export class SqliteActorStorage implements ActorStorage {
  readonly #dataDir: string;
  readonly #pool: HandlePool<Did, Connection<ActorTables>>;
  readonly #snapshots = new Snapshots((did) => this.scrub(did));
  readonly #destroyed = new Set<Did>();

  constructor(dataDir: string, nodeDid: Did, maxOpen = MAX_OPEN_ACTORS) {
    this.#dataDir = dataDir;
    const migrations = actorMigrations(nodeDid);
    this.#pool = new HandlePool(maxOpen, {
      open: (did) =>
        openDatabase<ActorTables>(actorDatabasePath(dataDir, did), migrations, {
          synchronous: 'NORMAL',
          pageCacheKib: PAGE_CACHE_KIB,
          checkpointPages: CHECKPOINT_PAGES,
        }),
      close: (connection) => connection.close(),
    });
  }

  get openDatabases(): number {
    return this.#pool.size;
  }

  async create(did: Did, signingKey: Uint8Array): Promise<void> {
    await this.#transact(did, 'IMMEDIATE', (actor) => actor.putSigningKey(signingKey));
    // @NOTE always all of them: a crash, or another actor's folder, may have left them as they were made
    await syncFoldersUpTo(this.#dataDir, dirname(actorDatabasePath(this.#dataDir, did)));
  }

  // @NOTE the type of what a reader gets lets it do nothing but read
  async read<T>(did: Did, read: (actor: ActorReader) => Promise<T>): Promise<T | undefined> {
    if (!this.#exists(did)) return undefined;
    return this.#transact(did, 'DEFERRED', read);
  }

  async contents(did: Did, uris: readonly AtUri[]): Promise<RecordContent[] | undefined> {
    if (!this.#exists(did)) return undefined;
    return this.#pool.use(did, (connection) =>
      connection.readNow(() => contentsOf(connection.prepare, uris)),
    );
  }

  async write<T>(did: Did, write: (actor: ActorTransactor) => Promise<T>): Promise<T> {
    if (!this.#exists(did)) throw new UnknownActorError('the actor has no store');
    return this.#transact(did, 'IMMEDIATE', write);
  }

  async snapshot(did: Did): Promise<ActorSnapshot | undefined> {
    if (!this.#exists(did)) return undefined;
    const path = actorDatabasePath(this.#dataDir, did);
    // @NOTE opened by the pool first, which brings it to the newest schema
    return this.#pool.use(did, () => this.#snapshots.begin(did, path));
  }

  async scrub(did: Did): Promise<void> {
    if (this.#snapshots.postponed(did) || !this.#exists(did)) return;
    // @NOTE pages are overwritten when freed (secure_delete); what was there before is still in the log
    await this.#pool.use(did, (connection) =>
      connection.now(() => connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all()),
    );
  }

  async destroy(did: Did): Promise<void> {
    this.#destroyed.add(did);
    try {
      await this.#snapshots.end(did);
      await this.#pool.remove(did);
      const folder = dirname(actorDatabasePath(this.#dataDir, did));
      await rm(folder, { recursive: true, force: true });
    } finally {
      this.#destroyed.delete(did);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#snapshots.end();
    await this.#pool[Symbol.asyncDispose]();
  }

  #transact<T>(
    did: Did,
    mode: 'DEFERRED' | 'IMMEDIATE',
    task: (actor: ActorTransactor) => Promise<T>,
  ): Promise<T> {
    return this.#pool.use(did, async (connection) => {
      const run = (db: Kysely<ActorTables>) => task(new SqliteActor(did, db, connection.prepare));
      const result = await connection.transact(mode, run);
      if (mode === 'IMMEDIATE') await connection.persist();
      return result;
    });
  }

  #exists(did: Did): boolean {
    if (this.#destroyed.has(did)) return false;
    return this.#pool.has(did) || existsSync(actorDatabasePath(this.#dataDir, did));
  }
}
