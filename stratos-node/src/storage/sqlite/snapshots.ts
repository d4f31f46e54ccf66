import type { Did } from '@stratos/protocol';
import SqliteDatabase from 'better-sqlite3';
import type { ActorSnapshot } from '../actor-storage.ts';
import type { ActorTables } from '../sql/actor-tables.ts';
import { Connection } from './connection.ts';
import { SqliteActor } from './sqlite-actor.ts';

/**
 * Snapshots of actors' databases that are being read. As long as there is one of an actor, its log
 * cannot be emptied, and to wait for that would hold up the whole process.
 */
export class Snapshots {
  readonly #open = new Map<Did, Set<() => Promise<void>>>();
  readonly #afterLast: (did: Did) => Promise<void>;
  readonly #owing = new Set<Did>();

  /** @param afterLast - called when the last snapshot of an actor who was {@link postponed} is closed */
  constructor(afterLast: (did: Did) => Promise<void>) {
    this.#afterLast = afterLast;
  }

  /** True, and called later, if there is a snapshot of the actor. */
  postponed(did: Did): boolean {
    if (!this.#open.has(did)) return false;
    this.#owing.add(did);
    return true;
  }

  /** @param path - of the database, which must exist and have the newest schema */
  async begin(did: Did, path: string): Promise<ActorSnapshot> {
    const database = new SqliteDatabase(path, { readonly: true, fileMustExist: true });
    const connection = new Connection<ActorTables>(database);
    const actor = new SqliteActor(did, connection.db, connection.prepare);
    const end = () => this.#end(did, end, connection);
    this.#open.set(did, (this.#open.get(did) ?? new Set()).add(end));
    try {
      connection.prepare('BEGIN').run();
      // @NOTE the snapshot is of the moment of the first read
      await actor.root();
    } catch (error) {
      await end();
      throw error;
    }
    return { actor, [Symbol.asyncDispose]: end };
  }

  /** Ends the snapshots of one actor, or all, whoever reads them. */
  async end(did?: Did): Promise<void> {
    const dids = did === undefined ? [...this.#open.keys()] : [did];
    const ends = dids.flatMap((each) => [...(this.#open.get(each) ?? [])]);
    await Promise.all(ends.map((end) => end()));
  }

  async #end(did: Did, end: () => Promise<void>, connection: Connection<ActorTables>) {
    const open = this.#open.get(did);
    if (!open?.delete(end)) return;
    await connection.close();
    if (open.size > 0) return;
    this.#open.delete(did);
    if (this.#owing.delete(did)) await this.#afterLast(did);
  }
}
