import { type AtUri, type Cid, recordUri } from '@stratos/protocol';
import type { ActorTransactor, EventOp, RepoCommit, StoredRecord } from '../actor-storage.ts';
import { SqlBlobTransactor } from './actor-blobs.ts';
import { SqlActorReader } from './actor-reader.ts';
import { putTakenDown, removeTakenDown } from './taken-down-records.ts';

const ROWS_PER_STATEMENT = 200;

/** Reads and writes one actor's store within one transaction. */
export class SqlActorTransactor extends SqlActorReader implements ActorTransactor {
  override get blobs(): SqlBlobTransactor {
    return new SqlBlobTransactor(this.db);
  }

  async putSigningKey(key: Uint8Array): Promise<void> {
    await this.db
      .insertInto('stratos_signing_key')
      .values({ did: this.did, key })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  async replaceSigningKey(key: Uint8Array): Promise<void> {
    await this.db
      .updateTable('stratos_signing_key')
      .set({ key })
      .where('did', '=', this.did)
      .execute();
  }

  async putTakenDown(record: StoredRecord, takedownRef: string): Promise<void> {
    await putTakenDown(this.db, record, takedownRef);
  }

  async removeTakenDown(uris: readonly AtUri[]): Promise<void> {
    await removeTakenDown(this.db, uris);
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
    await this.#applyOps(event.ops, root.rev);
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

  async forgetEvents(seq: number, floor: number): Promise<void> {
    await this.db.deleteFrom('stratos_seq').where('seq', '<=', seq).execute();
    await this.db
      .insertInto('stratos_seq_floor')
      .values({ did: this.did, seq: floor })
      .onConflict((conflict) =>
        conflict
          .column('did')
          .doUpdateSet({ seq: floor })
          .where('stratos_seq_floor.seq', '<', floor),
      )
      .execute();
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
    for (const part of partsOf(rows)) {
      await this.db
        .insertInto('stratos_repo_block')
        .values(part)
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

  async #applyOps(ops: readonly EventOp[], repoRev: RepoCommit['root']['rev']): Promise<void> {
    const indexedAt = new Date().toISOString();
    for (const part of partsOf(ops)) {
      const changes = part.map((op) => {
        const [collection = '', rkey = ''] = op.path.split('/');
        return { op, collection, rkey, uri: recordUri(this.did, collection, rkey) };
      });
      await this.#putBoundaries(changes);
      const removed = changes.flatMap(({ op, uri }) => (op.cid === undefined ? [uri] : []));
      if (removed.length > 0) {
        await this.db.deleteFrom('stratos_record').where('uri', 'in', removed).execute();
      }
      const rows = changes.flatMap(({ op: { cid }, ...key }) =>
        cid === undefined ? [] : [{ ...key, cid, repoRev, indexedAt, takedownRef: null }],
      );
      if (rows.length === 0) continue;
      await this.db
        .insertInto('stratos_record')
        .values(rows)
        .onConflict((conflict) =>
          conflict.column('uri').doUpdateSet(({ ref }) => ({
            cid: ref('excluded.cid'),
            repoRev: ref('excluded.repoRev'),
            indexedAt: ref('excluded.indexedAt'),
          })),
        )
        .execute();
    }
  }

  async #putBoundaries(changes: readonly { op: EventOp; uri: AtUri }[]): Promise<void> {
    const uris = changes.map(({ uri }) => uri);
    await this.db.deleteFrom('stratos_record_boundary').where('uri', 'in', uris).execute();
    const rows = changes.flatMap(({ op, uri }) =>
      (op.boundaries ?? []).map((boundary) => ({ boundary, uri })),
    );
    for (const part of partsOf(rows)) {
      await this.db.insertInto('stratos_record_boundary').values(part).execute();
    }
  }

  async #removeBlocks(cids: readonly Cid[]): Promise<void> {
    for (const part of partsOf(cids)) await this.#removeUnlessKept(part);
  }

  async #removeUnlessKept(cids: readonly Cid[]): Promise<void> {
    await this.db
      .deleteFrom('stratos_repo_block')
      .where('cid', 'in', cids)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('stratos_record')
              .select('stratos_record.uri')
              .whereRef('stratos_record.cid', '=', 'stratos_repo_block.cid')
              .where('stratos_record.takedownRef', 'is', null),
          ),
        ),
      )
      .execute();
  }
}

function* partsOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += ROWS_PER_STATEMENT) {
    yield items.slice(start, start + ROWS_PER_STATEMENT);
  }
}
