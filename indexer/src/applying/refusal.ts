import type { Transaction } from '../database.ts';

/** Refusals that are kept of one node, so that a lying node cannot fill the disk. */
const KEPT_PER_NODE = 1_000;

export interface Refusal {
  /** Node DID, or the address of a firehose. */
  source: string;
  did?: string | undefined;
  streamSeq?: number | undefined;
  /** A code, never content. */
  reason: string;
}

/** Notes that something was refused. The same refusal of the same event is noted once. */
export async function recordRefusal(tx: Transaction, refusal: Refusal): Promise<void> {
  const { source, reason } = refusal;
  const did = refusal.did ?? null;
  const streamSeq = refusal.streamSeq ?? null;
  await tx.$executeRaw`
    insert into stratos_quarantine (node_did, did, stream_seq, reason)
    select ${source}, ${did}, ${streamSeq}::bigint, ${reason}
    where not exists (
      select 1 from stratos_quarantine
      where node_did = ${source} and stream_seq is not distinct from ${streamSeq}::bigint
        and did is not distinct from ${did} and reason = ${reason}
    )`;
  await tx.$executeRaw`
    delete from stratos_quarantine where id in (
      select id from stratos_quarantine where node_did = ${source}
      order by refused_at desc, id desc offset ${KEPT_PER_NODE}
    )`;
}
