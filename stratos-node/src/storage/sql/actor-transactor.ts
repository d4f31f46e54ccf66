import { type AtUri, type Boundary, type Cid, recordUri } from '@stratos/protocol';
import type { ActorTransactor, EventOp, RepoCommit } from '../actor-storage.ts';
import { SqlActorReader } from './actor-reader.ts';

const ROWS_PER_STATEMENT = 200;

/** Reads and writes one actor's store within one transaction. */
export class SqlActorTransactor extends SqlActorReader implements ActorTransactor {
  async putSigningKey(key: Uint8Array): Promise<void> {
    await this.db
      .insertInto('stratos_signing_key')
      .values({ did: this.did, key })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  /**
   * Applies a commit: blocks, root, record rows and the row of the event log. Content of deleted
   * and replaced records goes at once.
   *
   * @returns the commit's position in the actor's log
   */
  async applyCommit({ root, newBlocks, removedCids, event }: RepoCommit): Promise<number> {
    await this.#putBlocks(newBlocks, root.rev);
    await this.#putRoot(root);
    for (const op of event.ops) await this.#applyOp(op, root.rev);
    await this.#removeBlocks(removedCids);
    const { time, rev, proof, ...rest } = event;
    const row = { did: this.did, time, rev, event: JSON.stringify(rest), proof };
    const { seq } = await this.db
      .insertInto('stratos_seq')
      .values(row)
      .returning('seq')
      .executeTakeFirstOrThrow();
    return seq;
  }

  async #putBlocks(
    blocks: RepoCommit['newBlocks'],
    repoRev: RepoCommit['root']['rev'],
  ): Promise<void> {
    const rows = [...blocks].map(([cid, content]) => ({
      cid,
      repoRev,
      size: content.length,
      content,
    }));
    for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
      await this.db
        .insertInto('stratos_repo_block')
        .values(rows.slice(start, start + ROWS_PER_STATEMENT))
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
  }

  async #putRoot({ cid, rev }: RepoCommit['root']): Promise<void> {
    const values = { cid, rev, indexedAt: new Date().toISOString() };
    await this.db
      .insertInto('stratos_repo_root')
      .values({ did: this.did, ...values })
      .onConflict((conflict) => conflict.column('did').doUpdateSet(values))
      .execute();
  }

  async #applyOp(op: EventOp, repoRev: RepoCommit['root']['rev']): Promise<void> {
    const [collection = '', rkey = ''] = op.path.split('/');
    const uri = recordUri(this.did, collection, rkey);
    await this.#putBoundaries(uri, op.boundaries ?? []);
    if (op.cid === undefined) {
      await this.db.deleteFrom('stratos_record').where('uri', '=', uri).execute();
      return;
    }
    const values = { cid: op.cid, repoRev, indexedAt: new Date().toISOString() };
    await this.db
      .insertInto('stratos_record')
      .values({ uri, collection, rkey, takedownRef: null, ...values })
      .onConflict((conflict) => conflict.column('uri').doUpdateSet(values))
      .execute();
  }

  async #putBoundaries(uri: AtUri, boundaries: readonly Boundary[]): Promise<void> {
    await this.db.deleteFrom('stratos_record_boundary').where('uri', '=', uri).execute();
    if (boundaries.length === 0) return;
    const rows = boundaries.map((boundary) => ({ boundary, uri }));
    await this.db.insertInto('stratos_record_boundary').values(rows).execute();
  }

  async #removeBlocks(cids: readonly Cid[]): Promise<void> {
    if (cids.length === 0) return;
    await this.db
      .deleteFrom('stratos_repo_block')
      .where('cid', 'in', cids)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('stratos_record')
              .select('stratos_record.uri')
              .whereRef('stratos_record.cid', '=', 'stratos_repo_block.cid'),
          ),
        ),
      )
      .execute();
  }
}
