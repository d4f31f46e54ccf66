import { type BlockSource, type Cid, cborCid } from '@stratos/protocol';
import { type CidBytes, textOf } from '@stratos/protocol/tree';
import type { Database, Statement } from 'better-sqlite3';

/** The blocks of an actor's database, each known to be what its CID says, once they are all checked. */
export class CheckedBlocks implements BlockSource {
  /** Blocks that are stored and that nobody has asked for yet. */
  readonly unused = new Set<Cid>();
  readonly #content: Statement<[Cid], Uint8Array>;

  constructor(actor: Database) {
    this.#content = actor
      .prepare<[Cid], Uint8Array>('SELECT content FROM stratos_block WHERE cid = ?')
      .pluck();
    for (const cid of cidsOf(actor)) this.unused.add(cid);
  }

  /** Those that are not what their CID says. */
  *wrong(): Generator<Cid> {
    for (const cid of this.unused) {
      const bytes = this.#content.get(cid);
      if (!bytes || cborCid(bytes) !== cid) yield cid;
    }
  }

  /** The bytes of a block, which then counts as used. */
  take(cid: Cid): Uint8Array | undefined {
    this.unused.delete(cid);
    return this.#content.get(cid);
  }

  get(cid: CidBytes): Uint8Array | undefined {
    return this.take(textOf(cid));
  }
}

function cidsOf(actor: Database): IterableIterator<Cid> {
  return actor.prepare<[], Cid>('SELECT cid FROM stratos_block').pluck().iterate();
}
