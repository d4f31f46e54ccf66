import type { AtUri, Boundary, Cid, Did, DidKey, Tid } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import type { Transaction } from './transaction.ts';

/** A stub on the PDS of an author. It says where its record should be, and proves nothing. */
export interface StubAhead {
  uri: AtUri;
  node: Did;
  /** What the record should be. */
  cid: Cid;
  seenAt: Date;
  /** Of the author at the node, as their PDS says. */
  signingKeys: DidKey[];
}

/** A record that a node has given and shown to be in the signed repo of its author. */
export interface ProvenRecord {
  uri: AtUri;
  node: Did;
  cid: Cid;
  /** The key that signed the repo, and the revision that shows the record. */
  signingKey: DidKey;
  rev: Tid;
  /** Newest entry of the node's membership log after it read the record. */
  membershipSeq: number;
  /** All that the record names. */
  boundaries: Boundary[];
}

/**
 * The stubs at some addresses, in no order, as far as they name a node of which the transaction is opened for a
 * boundary: the same ones, whoever may read what is behind them.
 */
export function stubsAhead(transaction: Transaction, uris: Iterable<AtUri>): Promise<StubAhead[]> {
  return transaction.$queryRaw<StubAhead[]>(Prisma.sql`
    select uri, node_did as node, cid, seen_at as "seenAt", signing_keys as "signingKeys"
    from stratos_stubs_ahead(${[...uris]}::text[])`);
}

/**
 * The addresses of those records that count as if they had come by the stream of their node, in the scope for
 * which the transaction was opened: the stub still names them, the author's membership is stated by the node and
 * by the PDS with the key that signed and covers all their boundaries, the account is in use, nothing newer is
 * known, and all that the node decided about members before it gave them is applied.
 */
export async function countingRecords(
  transaction: Transaction,
  records: Iterable<ProvenRecord>,
): Promise<Set<AtUri>> {
  const given = Array.from(records, ({ uri, node, cid, signingKey, rev, ...record }) => ({
    ...{ uri, node_did: node, cid, signing_key: signingKey, rev },
    ...{ membership_seq: record.membershipSeq, boundaries: record.boundaries },
  }));
  const rows = await transaction.$queryRaw<{ uri: AtUri }[]>(Prisma.sql`
    select uri
    from json_to_recordset(${JSON.stringify(given)}::json) as given(uri text, node_did text,
      cid text, signing_key text, rev text, membership_seq bigint, boundaries text[])
    where stratos_stub_counts(uri, node_did, cid, signing_key, rev, membership_seq, boundaries)`);
  return new Set(rows.map(({ uri }) => uri));
}
