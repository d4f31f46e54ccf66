import { type AtUri, type Cid, type Did, decodeRecord, recordBoundaries } from '@stratos/protocol';
import { sql, type Transaction } from 'kysely';

const RECORDS_PER_READ = 500;

/**
 * Writes down the boundaries that stored records name. A record whose boundaries cannot be read gets
 * none, which leaves it to its owner.
 */
export async function fillRecordBoundaries(tx: Transaction<unknown>, nodeDid: Did): Promise<void> {
  let after = '';
  for (;;) {
    const { rows } = await sql<{ uri: AtUri; cid: Cid; content: Uint8Array }>`
      SELECT record.uri, record.cid, block.content FROM stratos_record AS record
      JOIN stratos_repo_block AS block ON block.cid = record.cid
      WHERE record.uri > ${after} ORDER BY record.uri LIMIT ${RECORDS_PER_READ}`.execute(tx);
    for (const { uri, cid, content } of rows) {
      for (const boundary of await boundariesOf(content, cid, nodeDid)) {
        await sql`INSERT INTO stratos_record_boundary (boundary, uri)
          VALUES (${boundary}, ${uri})`.execute(tx);
      }
      after = uri;
    }
    if (rows.length < RECORDS_PER_READ) return;
  }
}

async function boundariesOf(bytes: Uint8Array, cid: Cid, nodeDid: Did) {
  try {
    return recordBoundaries(await decodeRecord(bytes, cid), nodeDid);
  } catch {
    return [];
  }
}
