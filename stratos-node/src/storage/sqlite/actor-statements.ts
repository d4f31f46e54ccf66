/** The statements that reading and writing records needs each time. */
export const ROOT = 'SELECT cid, rev FROM stratos_repo_root WHERE did = ?';
export const BLOCK = 'SELECT content FROM stratos_block WHERE cid = ?';
export const BLOCK_CIDS = 'SELECT cid FROM stratos_block';
export const BLOCK_PAGE = `SELECT cid, repoRev AS rev, content AS bytes FROM stratos_block
  WHERE (repoRev, cid) > (?, ?) ORDER BY repoRev, cid LIMIT ?`;
export const RECORD = `
  SELECT record.uri, record.cid, record.collection, record.rkey, record.repoRev AS rev,
    block.content AS bytes
  FROM stratos_record AS record JOIN stratos_repo_block AS block ON block.cid = record.cid
  WHERE record.uri = ? AND record.takedownRef IS NULL`;
// @NOTE a join takes three times as long for a single record
export const CONTENT = `
  SELECT cid, content AS bytes FROM stratos_repo_block
  WHERE cid = (SELECT cid FROM stratos_record WHERE uri = ? AND takedownRef IS NULL)`;
export const STANDING =
  'SELECT uri, cid, repoRev AS rev, takedownRef FROM stratos_record WHERE uri = ?';
export const BOUNDARIES =
  'SELECT boundary FROM stratos_record_boundary WHERE uri = ? ORDER BY boundary';
export const EVENT = 'SELECT seq, time, rev, event, proof FROM stratos_seq WHERE seq = ?';

export const PUT_BLOCK = `INSERT INTO stratos_repo_block (cid, repoRev, size, content)
  VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`;
export const NEWEST_CIDS = 'SELECT cid FROM stratos_newest_block';
export const PUT_NEWEST =
  'INSERT INTO stratos_newest_block (cid, repoRev, content) VALUES (?, ?, ?)';
export const KEEP_NEWEST = `INSERT INTO stratos_repo_block (cid, repoRev, size, content)
  SELECT cid, repoRev, length(content), content FROM stratos_newest_block WHERE cid = ?
  ON CONFLICT DO NOTHING`;
export const CLEAR_NEWEST = 'DELETE FROM stratos_newest_block';
export const PUT_ROOT = `INSERT INTO stratos_repo_root (did, cid, rev, indexedAt)
  VALUES (?, ?, ?, ?) ON CONFLICT (did) DO UPDATE
  SET cid = excluded.cid, rev = excluded.rev, indexedAt = excluded.indexedAt`;
export const PUT_RECORD = `
  INSERT INTO stratos_record (uri, cid, collection, rkey, repoRev, indexedAt, takedownRef)
  VALUES (?, ?, ?, ?, ?, ?, NULL) ON CONFLICT (uri) DO UPDATE
  SET cid = excluded.cid, repoRev = excluded.repoRev, indexedAt = excluded.indexedAt`;
export const DELETE_RECORD = 'DELETE FROM stratos_record WHERE uri = ?';
export const PUT_BOUNDARY = 'INSERT INTO stratos_record_boundary (boundary, uri) VALUES (?, ?)';
export const DELETE_BOUNDARIES = 'DELETE FROM stratos_record_boundary WHERE uri = ?';
export const REMOVE_BLOCK = `DELETE FROM stratos_repo_block WHERE cid = ?
  AND NOT EXISTS (
    SELECT 1 FROM stratos_record
    WHERE stratos_record.cid = stratos_repo_block.cid AND stratos_record.takedownRef IS NULL)`;
export const PUT_EVENT =
  'INSERT INTO stratos_seq (did, time, rev, event, proof) VALUES (?, ?, ?, ?, ?)';
