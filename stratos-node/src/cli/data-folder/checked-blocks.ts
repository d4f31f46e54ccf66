import { createHash } from 'node:crypto';
import { type Cid as CidLink, parseCid } from '@atproto/lex-data';
import { BlockMap, ReadableBlockstore } from '@atproto/repo';
import type { Database, Statement } from 'better-sqlite3';

/** The blocks of an actor's database, each known to be what its CID says, once they are all checked. */
export class CheckedBlocks extends ReadableBlockstore {
  /** Blocks that are stored and that nobody has asked for yet. */
  readonly unused = new Set<string>();
  readonly #content: Statement<[string], Uint8Array>;

  constructor(actor: Database) {
    super();
    this.#content = actor
      .prepare<[string], Uint8Array>('SELECT content FROM stratos_repo_block WHERE cid = ?')
      .pluck();
    for (const cid of cidsOf(actor)) this.unused.add(cid);
  }

  /** Those that are not what their CID says. */
  *wrong(): Generator<string> {
    for (const cid of this.unused) {
      const bytes = this.#content.get(cid);
      if (!bytes || !isHashOf(cid, bytes)) yield cid;
    }
  }

  /** The bytes of a block, which then counts as used. */
  take(cid: string): Uint8Array | undefined {
    this.unused.delete(cid);
    return this.#content.get(cid);
  }

  async getBytes(cid: CidLink): Promise<Uint8Array | null> {
    return this.take(cid.toString()) ?? null;
  }

  async has(cid: CidLink): Promise<boolean> {
    return (await this.getBytes(cid)) !== null;
  }

  async getBlocks(cids: CidLink[]): Promise<{ blocks: BlockMap; missing: CidLink[] }> {
    const blocks = new BlockMap();
    const missing: CidLink[] = [];
    for (const cid of cids) {
      const bytes = this.take(cid.toString());
      if (bytes) blocks.set(cid, bytes);
      else missing.push(cid);
    }
    return { blocks, missing };
  }
}

function cidsOf(actor: Database): IterableIterator<string> {
  return actor.prepare<[], string>('SELECT cid FROM stratos_repo_block').pluck().iterate();
}

function isHashOf(cid: string, bytes: Uint8Array): boolean {
  const { digest } = parseCid(cid).multihash;
  return createHash('sha256').update(bytes).digest().equals(digest);
}
