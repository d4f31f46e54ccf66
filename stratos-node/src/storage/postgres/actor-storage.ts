import type { AtUri, Did } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type { Logger } from '../../logger.ts';
import { LocalActorLocks } from '../../repo/actor-locks.ts';
import {
  type ActorReader,
  type ActorSnapshot,
  type ActorStorage,
  type ActorTransactor,
  type RecordContent,
  UnknownActorError,
} from '../actor-storage.ts';
import type { ActorTables } from '../sql/actor-tables.ts';
import { ActorSchemas } from './actor-schemas.ts';
import { advisoryKey } from './advisory-key.ts';
import { BlockCache } from './block-cache.ts';
import { openPool } from './pool.ts';
import { PostgresActor } from './postgres-actor.ts';
import { Scrubber, type ScrubTiming } from './scrubber.ts';
import { Snapshots } from './snapshots.ts';
import { transact } from './transact.ts';

/** Connections for those who read at the pace of somebody else. */
const MAX_SNAPSHOTS = 8;

export interface PostgresActorStorageOptions {
  url: string;
  actorPoolSize: number;
  adminPoolSize: number;
  blockCacheSize: number;
  logger: Logger;
  scrubTiming?: ScrubTiming;
}

/** One Postgres schema per actor. Several processes may use the same database. */
export class PostgresActorStorage implements ActorStorage {
  // @NOTE what runs on one of these must not use the service database, whose transactions wait for them
  readonly #db: Kysely<ActorTables>;
  readonly #exports: Kysely<ActorTables>;
  readonly #snapshots: Snapshots;
  readonly #admin: Kysely<ActorTables>;
  readonly #schemas: ActorSchemas;
  readonly #cache: BlockCache;
  readonly #scrubber: Scrubber;
  /** So that those who wait for the same actor do not each hold a connection meanwhile. */
  readonly #writers = new LocalActorLocks();

  constructor(options: PostgresActorStorageOptions) {
    const { url, actorPoolSize, adminPoolSize, blockCacheSize, logger, scrubTiming } = options;
    this.#db = openPool(url, { max: actorPoolSize, logger });
    this.#exports = openPool(url, { max: MAX_SNAPSHOTS, logger });
    this.#snapshots = new Snapshots(this.#exports);
    this.#admin = openPool(url, { max: adminPoolSize, logger });
    this.#schemas = new ActorSchemas(this.#admin);
    this.#cache = new BlockCache(blockCacheSize);
    this.#scrubber = new Scrubber(this.#admin, logger, scrubTiming);
  }

  async create(did: Did, signingKey: Uint8Array): Promise<void> {
    await this.#schemas.create(did, (tx) =>
      new PostgresActor(did, tx, this.#cache).putSigningKey(signingKey),
    );
  }

  async read<T>(did: Did, read: (actor: ActorReader) => Promise<T>): Promise<T | undefined> {
    const schema = await this.#schemas.find(did);
    if (schema === undefined) return undefined;
    return this.#schemas.unlessGone(did, () => this.#within(did, snapshotOf(schema), read));
  }

  async contents(did: Did, uris: readonly AtUri[]): Promise<RecordContent[] | undefined> {
    const records = await this.read(did, (actor) => actor.records(uris));
    return records && [...records.values()];
  }

  async write<T>(did: Did, write: (actor: ActorTransactor) => Promise<T>): Promise<T> {
    const schema = await this.#schemas.find(did);
    if (schema === undefined) throw new UnknownActorError('the actor has no store');
    // @NOTE holds even when the session that keeps the actor's lock was lost
    const begin = `BEGIN; SET LOCAL search_path TO ${schema};
      SELECT pg_advisory_xact_lock(${advisoryKey(`write:${did}`)})`;
    return this.#writers.run(did, async () => {
      let written: { result: T } | undefined;
      await this.#schemas.unlessGone(did, async () => {
        written = { result: await this.#within(did, begin, write) };
      });
      if (!written) throw new UnknownActorError('the actor has no store');
      return written.result;
    });
  }

  async snapshot(did: Did): Promise<ActorSnapshot | undefined> {
    const schema = await this.#schemas.find(did);
    if (schema === undefined) return undefined;
    return this.#schemas.unlessGone(did, () => this.#snapshots.begin(did, snapshotOf(schema)));
  }

  async scrub(did: Did): Promise<void> {
    const schema = await this.#schemas.find(did);
    if (schema !== undefined) this.#scrubber.add(schema);
  }

  async destroy(did: Did): Promise<void> {
    await this.#snapshots.end(did);
    await this.#writers.run(did, () => this.#schemas.drop(did));
    this.#cache.forget(did);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scrubber[Symbol.asyncDispose]();
    await this.#snapshots.end();
    await Promise.all([this.#db.destroy(), this.#exports.destroy(), this.#admin.destroy()]);
  }

  async #within<T>(
    did: Did,
    begin: string,
    task: (actor: PostgresActor) => Promise<T>,
  ): Promise<T> {
    let actor: PostgresActor | undefined;
    const result = await transact(this.#db, begin, (tx) => {
      actor = new PostgresActor(did, tx, this.#cache);
      return task(actor);
    });
    await actor?.remember();
    return result;
  }
}

function snapshotOf(schema: string): string {
  return `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path TO ${schema}`;
}
