import { type Block, type Cid, encodeRecord, ProofError } from '@stratos/protocol';
import type { RecordValue } from '../posts.ts';
import { BatchedRecords, type Found, type WantedRecord } from './batched-records.ts';
import type { NodeCalls } from './node-calls.ts';
import type { NodeClient } from './node-client.ts';

/** A record that is of its CID, or why there is none. */
export type FoundRecord = Found<RecordValue>;

/** Records of which the index knows that they are in the repos of their authors. */
export type NodeRecords = BatchedRecords<WantedRecord, RecordValue, RecordValue>;

export interface NodeRecordsOptions {
  client: Pick<NodeClient, 'records'>;
  calls: NodeCalls;
  /** Bytes of records that are kept in memory. */
  cacheBytes: number;
}

export function createNodeRecords({ client, calls, cacheBytes }: NodeRecordsOptions): NodeRecords {
  return new BatchedRecords({
    calls,
    cacheBytes,
    ask: (node, uris, signal) => client.records(node, uris, signal),
    async check({ cid }, value) {
      const { bytes } = await blockOf(value, cid);
      return { value, bytes: bytes.length };
    },
  });
}

/** The block of a record. @throws {@link ProofError} `wrong-cid` when it is that of another CID, or none */
export async function blockOf(value: RecordValue, cid: Cid): Promise<Block> {
  const block = await encodeRecord(value).catch(() => undefined);
  if (block?.cid !== cid) throw new ProofError('wrong-cid', 'the record is not that of the CID');
  return block;
}
