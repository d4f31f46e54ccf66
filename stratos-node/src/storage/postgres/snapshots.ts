import type { Did } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type { ActorReader, ActorSnapshot } from '../actor-storage.ts';
import { SqlActorReader } from '../sql/actor-reader.ts';
import type { ActorTables } from '../sql/actor-tables.ts';
import { transact } from './transact.ts';

/** Snapshots of actors' stores that are being read, each in a transaction of its own. */
export class Snapshots {
  readonly #db: Kysely<ActorTables>;
  readonly #open = new Map<Did, Set<() => Promise<void>>>();

  /** @param db - with a connection for each */
  constructor(db: Kysely<ActorTables>) {
    this.#db = db;
  }

  /** @param begin - the statements that open a transaction on the actor's store */
  async begin(did: Did, begin: string): Promise<ActorSnapshot> {
    const { promise: begun, resolve, reject } = Promise.withResolvers<ActorReader>();
    const { promise: ended, resolve: release } = Promise.withResolvers<void>();
    const held = transact(this.#db, begin, async (tx) => {
      const actor = new SqlActorReader(did, tx);
      // @NOTE the snapshot is of the moment of the first read
      await actor.root();
      resolve(actor);
      await ended;
    }).catch(reject);
    const actor = await begun;
    const end = async () => {
      this.#forget(did, end);
      release();
      await held;
    };
    this.#open.set(did, (this.#open.get(did) ?? new Set()).add(end));
    return { actor, [Symbol.asyncDispose]: end };
  }

  /** Ends the snapshots of one actor, or all, whoever reads them. */
  async end(did?: Did): Promise<void> {
    const dids = did === undefined ? [...this.#open.keys()] : [did];
    const ends = dids.flatMap((each) => [...(this.#open.get(each) ?? [])]);
    await Promise.all(ends.map((end) => end()));
  }

  #forget(did: Did, end: () => Promise<void>): void {
    const open = this.#open.get(did);
    open?.delete(end);
    if (open?.size === 0) this.#open.delete(did);
  }
}
