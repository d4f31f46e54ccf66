import type { Cid as CidLink } from '@atproto/lex-data';
import { parseCid } from '@atproto/lex-data';
import { BlockMap, ReadableBlockstore, type RepoStorage } from '@atproto/repo';
import { type Cid, toCid } from '@stratos/protocol';
import type { ActorReader } from '../storage/actor-storage.ts';

/** Lets `@atproto/repo` read an actor's blocks. Commits are applied by the transactor, not through it. */
export class ActorBlockstore extends ReadableBlockstore implements RepoStorage {
  readonly #actor: ActorReader;

  constructor(actor: ActorReader) {
    super();
    this.#actor = actor;
  }

  async getRoot(): Promise<CidLink | null> {
    const root = await this.#actor.root();
    return root ? parseCid(root.cid) : null;
  }

  async getBytes(cid: CidLink): Promise<Uint8Array | null> {
    return (await this.#actor.block(textOf(cid))) ?? null;
  }

  async has(cid: CidLink): Promise<boolean> {
    return (await this.getBytes(cid)) !== null;
  }

  async getBlocks(cids: CidLink[]): Promise<{ blocks: BlockMap; missing: CidLink[] }> {
    const found = await this.#actor.blocks(cids.map(textOf));
    const blocks = new BlockMap();
    const missing: CidLink[] = [];
    for (const cid of cids) {
      const bytes = found.get(textOf(cid));
      if (bytes) blocks.set(cid, bytes);
      else missing.push(cid);
    }
    return { blocks, missing };
  }

  async putBlock(): Promise<void> {
    throw new ReadOnlyBlockstoreError();
  }

  async putMany(): Promise<void> {
    throw new ReadOnlyBlockstoreError();
  }

  async updateRoot(): Promise<void> {
    throw new ReadOnlyBlockstoreError();
  }

  async applyCommit(): Promise<void> {
    throw new ReadOnlyBlockstoreError();
  }
}

class ReadOnlyBlockstoreError extends Error {
  override name = 'ReadOnlyBlockstoreError';
  override message = 'an actor is written through its transactor';
}

function textOf(cid: CidLink): Cid {
  return toCid(cid.toString());
}
