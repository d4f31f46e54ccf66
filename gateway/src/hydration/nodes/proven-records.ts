import type { ProvenRecord, StubAhead } from '@stratos/prisma/queries';
import { ProofError, parseAtUri, RepoProof, readRecord } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { RecordValue } from '../posts.ts';
import { BatchedRecords } from './batched-records.ts';
import type { NodeCalls } from './node-calls.ts';
import type { NodeClient, ShownRecord } from './node-client.ts';
import { blockOf } from './node-records.ts';

const { $nsid: COLLECTION, main: post } = zone.stratos.feed.post;

/** Of records in memory, which the index will have in a moment. */
const CACHE_BYTES = 8 * 2 ** 20;

/** A record of a stub that is in the signed repo of its author. Nobody has been allowed to see it yet. */
export interface RecordAhead extends ProvenRecord {
  value: RecordValue;
}

/** The records of stubs, of which the index does not know that they exist. */
export type ProvenRecords = BatchedRecords<StubAhead, ShownRecord, RecordAhead>;

export interface ProvenRecordsOptions {
  client: Pick<NodeClient, 'shownRecords'>;
  calls: NodeCalls;
}

export function createProvenRecords({ client, calls }: ProvenRecordsOptions): ProvenRecords {
  return new BatchedRecords({
    calls,
    cacheBytes: CACHE_BYTES,
    ask: (node, uris, signal) => client.shownRecords(node, uris, signal),
    check: prove,
  });
}

/** Verifies what a node gives for a stub by nothing but what is public: the stub and the keys on the PDS. */
async function prove(
  { uri, node, cid, signingKeys }: StubAhead,
  { value, proof, membershipSeq }: ShownRecord,
) {
  const { bytes } = await blockOf(value, cid);
  const { did, collection, rkey } = parseAtUri(uri);
  const shown = await RepoProof.read(proof, { did, signingKeys });
  if ((await shown.cidAt(`${collection}/${rkey}`)) !== cid) {
    throw new ProofError('not-included', 'the repo has another record there');
  }
  const { record, flaw } = readRecord(bytes, node);
  if (!record) throw new ProofError(flaw, 'the record cannot be read');
  const parsed = post.safeValidate(value);
  if (collection !== COLLECTION || !parsed.success || parsed.value.source !== undefined) {
    throw new ProofError('malformed', 'the record is no post');
  }
  const { rev, signingKey } = shown.repo;
  const { boundaries } = record;
  const proven = { uri, node, cid, signingKey, rev, membershipSeq, boundaries, value };
  return { value: proven, bytes: bytes.length };
}
