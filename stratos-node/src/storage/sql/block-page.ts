import { type Kysely, sql } from 'kysely';
import type { BlockPage, StoredBlock } from '../actor-storage.ts';
import type { ActorTables } from './actor-tables.ts';

/** The next blocks of a repo, in an order that goes along an index. */
export async function blockPage(
  db: Kysely<ActorTables>,
  { after, limit }: BlockPage,
): Promise<StoredBlock[]> {
  return db
    .selectFrom('stratos_repo_block')
    .select(['cid', 'repoRev as rev', 'content as bytes'])
    .where(sql<boolean>`(${sql.ref('repoRev')}, cid) > (${after.rev}, ${after.cid})`)
    .orderBy('repoRev')
    .orderBy('cid')
    .limit(limit)
    .execute();
}
