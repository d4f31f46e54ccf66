import type { AtUri, Boundary, Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import type { Transaction } from './transaction.ts';

/** Something that changed for readers. */
export interface ReaderChange {
  /** Higher than that of every change before. */
  seq: bigint;
  /** `post` is new or changed, `gone` is not to be read any more. */
  kind: 'post' | 'gone' | 'membership' | 'account' | 'node';
  node: Did | null;
  did: Did | null;
  uri: AtUri | null;
  /** Where it was or is to be read. */
  boundaries: Boundary[];
}

/**
 * Changes after a position, oldest first, at most `limit` and at most a thousand. They are kept for an hour.
 *
 * For the gateway itself, which reads them once for all who listen: it gets every change, whoever the
 * transaction is for. They tell who did something where and when, and nothing of its content. Before anybody
 * is told of one, it has to be checked against their scope as it is at that moment.
 */
export function changesAfter(
  transaction: Transaction,
  { seq, limit }: { seq: bigint; limit: number },
): Promise<ReaderChange[]> {
  return transaction.$queryRaw<ReaderChange[]>(Prisma.sql`
    select seq, kind, node_did as node, did, uri, boundaries
    from stratos_changes_after(${seq}::bigint, ${limit}::int)`);
}
