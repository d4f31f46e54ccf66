import { type Cid, type Did, recordUri } from '@stratos/protocol';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { RepoCommit } from '../actor-storage.ts';
import type { ActorTables } from '../sql/actor-tables.ts';

const MAX_OPS = 100;

/** A commit that only makes records, and few of them. */
interface SmallCommit extends RepoCommit {
  newBlocks: readonly (readonly [Cid, Uint8Array])[];
}

/** Whether {@link addCommit} can apply a commit: most commits make a record, and replace none. */
export function canBeOneStatement(commit: RepoCommit): commit is SmallCommit {
  const { newBlocks, removedCids, event } = commit;
  if (!Array.isArray(newBlocks) || newBlocks.length + removedCids.length > 10 * MAX_OPS)
    return false;
  return event.ops.length <= MAX_OPS && event.ops.every((op) => op.action === 'create');
}

/**
 * Applies a commit that only makes records, asking Postgres once.
 *
 * @returns the commit's position in the actor's log
 */
export async function addCommit(
  db: Kysely<ActorTables>,
  did: Did,
  { root, newBlocks, removedCids, event }: SmallCommit,
): Promise<number> {
  const indexedAt = new Date().toISOString();
  const { rev } = root;
  const blocks = Array.from(
    newBlocks,
    ([cid, bytes]) => sql`(${cid}, ${rev}, ${bytes.length}, ${bytes})`,
  );
  const made = event.ops.map(({ path, cid, boundaries = [] }) => {
    const [collection = '', rkey = ''] = path.split('/');
    return { uri: recordUri(did, collection, rkey), cid, collection, rkey, boundaries };
  });
  const records = made.map(
    ({ uri, cid, collection, rkey }) =>
      sql`(${uri}, ${cid}, ${collection}, ${rkey}, ${rev}, ${indexedAt})`,
  );
  const boundaries = made.flatMap((each) =>
    each.boundaries.map((boundary) => sql`(${boundary}, ${each.uri})`),
  );
  const parts: RawBuilder<unknown>[] = [
    sql`root AS (INSERT INTO stratos_repo_root (did, cid, rev, "indexedAt")
      VALUES (${did}, ${root.cid}, ${rev}, ${indexedAt}) ON CONFLICT (did) DO UPDATE
      SET cid = excluded.cid, rev = excluded.rev, "indexedAt" = excluded."indexedAt")`,
  ];
  if (blocks.length > 0) {
    parts.push(sql`blocks AS (INSERT INTO stratos_repo_block (cid, "repoRev", size, content)
      VALUES ${sql.join(blocks)} ON CONFLICT DO NOTHING)`);
  }
  if (records.length > 0) {
    parts.push(sql`records AS (INSERT INTO stratos_record
      (uri, cid, collection, rkey, "repoRev", "indexedAt") VALUES ${sql.join(records)}
      ON CONFLICT (uri) DO UPDATE SET cid = excluded.cid, "repoRev" = excluded."repoRev",
      "indexedAt" = excluded."indexedAt")`);
  }
  if (boundaries.length > 0) {
    parts.push(sql`boundaries AS (INSERT INTO stratos_record_boundary (boundary, uri)
      VALUES ${sql.join(boundaries)})`);
  }
  if (removedCids.length > 0) {
    parts.push(sql`removed AS (DELETE FROM stratos_repo_block AS block
      WHERE block.cid IN (${sql.join(removedCids)}) AND NOT EXISTS (
        SELECT 1 FROM stratos_record AS record
        WHERE record.cid = block.cid AND record."takedownRef" IS NULL))`);
  }
  const { time, rev: eventRev, proof, ...rest } = event;
  const { rows } = await sql<{ seq: number }>`WITH ${sql.join(parts)}
    INSERT INTO stratos_seq (did, time, rev, event, proof)
    VALUES (${did}, ${time}, ${eventRev}, ${JSON.stringify(rest)}, ${proof})
    RETURNING seq`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('the event has no position');
  return row.seq;
}
