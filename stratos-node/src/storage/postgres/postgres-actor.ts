import type { Cid, Did } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type { RepoCommit, RepoRoot } from '../actor-storage.ts';
import type { ActorTables } from '../sql/actor-tables.ts';
import { SqlActorTransactor } from '../sql/actor-transactor.ts';
import { addCommit, canBeOneStatement } from './add-commit.ts';
import type { BlockCache } from './block-cache.ts';

/** One actor's store within a transaction, with the nodes of its tree from memory where they are known. */
export class PostgresActor extends SqlActorTransactor {
  readonly #cache: BlockCache;
  readonly #read = new Map<Cid, Uint8Array>();
  readonly #commits: RepoCommit[] = [];
  /** The root that the transaction began with, once it was asked for. */
  #before: Promise<RepoRoot | undefined> | undefined;

  constructor(did: Did, db: Kysely<ActorTables>, cache: BlockCache) {
    super(did, db);
    this.#cache = cache;
  }

  override async root(): Promise<RepoRoot | undefined> {
    if (this.#commits.length > 0) return super.root();
    this.#before ??= super.root();
    return this.#before;
  }

  override async block(cid: Cid): Promise<Uint8Array | undefined> {
    return (await this.blocks([cid])).get(cid);
  }

  override async blocks(cids: readonly Cid[]): Promise<Map<Cid, Uint8Array>> {
    const root = await this.root();
    const known = root && this.#cache.at(this.did, root);
    const found = new Map<Cid, Uint8Array>();
    for (const cid of cids) {
      const bytes = known?.get(cid);
      if (bytes) found.set(cid, bytes);
    }
    if (found.size === cids.length) return found;
    const missing = cids.filter((cid) => !found.has(cid));
    for (const [cid, bytes] of await super.blocks(missing)) {
      found.set(cid, bytes);
      this.#read.set(cid, bytes);
    }
    return found;
  }

  override async applyCommit(commit: RepoCommit): Promise<number> {
    await this.root();
    this.#commits.push(commit);
    return canBeOneStatement(commit)
      ? addCommit(this.db, this.did, commit)
      : super.applyCommit(commit);
  }

  /** Puts into the cache what a transaction read or wrote. To be called once it is committed. */
  async remember(): Promise<void> {
    let root = await this.#before;
    if (root) this.#cache.add(this.did, root, this.#read);
    for (const commit of this.#commits) {
      this.#cache.advance(this.did, root, commit.root, commit.removedCids);
      this.#cache.add(this.did, commit.root, commit.newBlocks);
      root = commit.root;
    }
  }
}
