import type { Transaction } from '../database.ts';

/** Refusals that are kept of one node, so that a lying node cannot fill the disk. */
const KEPT_PER_NODE = 1_000;

export interface Refusal {
  /** Node DID, or the address of a firehose. */
  source: string;
  did?: string | undefined;
  /** The record, when it is about one. */
  uri?: string | undefined;
  streamSeq?: number | undefined;
  /** A code, never content. */
  reason: string;
}

/** Notes that something was refused. The same refusal of the same event is noted once. */
export async function recordRefusal(tx: Transaction, refusal: Refusal): Promise<void> {
  const { source, ...rest } = refusal;
  await recordRefusals(tx, source, [rest]);
}

/** Notes what a source sent and was refused. */
export async function recordRefusals(
  tx: Transaction,
  source: string,
  refusals: readonly Omit<Refusal, 'source'>[],
): Promise<void> {
  if (refusals.length === 0) return;
  const rows = refusals.map(({ did, uri, streamSeq: stream_seq, reason }) => {
    return JSON.stringify({ did, uri, stream_seq, reason });
  });
  const once = `[${[...new Set(rows)].join()}]`;
  await tx.$executeRaw`
    insert into stratos_quarantine (node_did, did, uri, stream_seq, reason)
    select ${source}, did, uri, stream_seq, reason
    from rows from (
      json_to_recordset(${once}::json) as (did text, uri text, stream_seq bigint, reason text)
    ) with ordinality as refused(did, uri, stream_seq, reason, place)
    where not exists (
      select from stratos_quarantine known
      where known.node_did = ${source}
        and known.stream_seq is not distinct from refused.stream_seq
        and known.did is not distinct from refused.did
        and known.uri is not distinct from refused.uri and known.reason = refused.reason
    )
    order by refused.place`;
  await tx.$executeRaw`
    delete from stratos_quarantine where id in (
      select id from stratos_quarantine where node_did = ${source}
      order by refused_at desc, id desc offset ${KEPT_PER_NODE}
    )`;
}
