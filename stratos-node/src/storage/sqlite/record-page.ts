import type { RecordPage } from '../actor-storage.ts';

/**
 * The query of `sql/record-page.ts` as text. Its parameters are both ends of the range, or for each
 * boundary that boundary, both ends of the range and the limit; and then the limit.
 */
export function recordPageSql({ boundaries, descending }: RecordPage): string {
  const order = descending ? 'DESC' : 'ASC';
  const ofEach = `SELECT uri FROM (
    SELECT named.uri FROM stratos_record_boundary AS named
    JOIN stratos_record AS listed ON listed.uri = named.uri
    WHERE named.boundary = ? AND named.uri > ? AND named.uri < ? AND listed.takedownRef IS NULL
    ORDER BY named.uri ${order} LIMIT ?)`;
  const where = boundaries
    ? `record.uri IN (${boundaries.map(() => ofEach).join(' UNION ')})`
    : 'record.uri > ? AND record.uri < ?';
  return `
    SELECT record.uri, record.cid, record.collection, record.rkey, record.repoRev AS rev,
      block.content AS bytes
    FROM stratos_record AS record JOIN stratos_repo_block AS block ON block.cid = record.cid
    WHERE record.takedownRef IS NULL AND ${where}
    ORDER BY record.uri ${order} LIMIT ?`;
}
