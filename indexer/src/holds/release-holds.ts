import type { Transaction } from '../database.ts';

export interface Released {
  /** People whose memberships were held, or all that they wrote. */
  dids: string[];
  /** Records that were held, and whom they are of. */
  posts: { did: string; uri: string }[];
}

export interface ReleaseOptions {
  nodeDid: string;
  /** Of whom they are. */
  dids: readonly string[];
  /** Position up to which the node is applied. */
  cursor: number;
  /**
   * Positions that are still to come, where the node has signed that there are no others. Without it
   * all that is after the cursor may be.
   */
  ahead?: readonly number[] | undefined;
}

/**
 * Removes the holds of events whose turn has come, and of those that never come. What is readable is for
 * the ordinary rules from here on, which the caller has to ask again.
 */
export async function releaseHolds(
  tx: Transaction,
  { nodeDid, dids, cursor, ahead }: ReleaseOptions,
): Promise<Released> {
  const rows = await tx.$queryRaw<{ did: string; uri: string | null }[]>`
    delete from stratos_hold
    where node_did = ${nodeDid} and did = any(${[...dids]}::text[])
      and (stream_seq <= ${cursor} or stream_seq <> all(${ahead ? [...ahead] : null}::bigint[]))
    returning did, uri`;
  const posts = rows.flatMap(({ did, uri }) =>
    uri && uri !== `at://${did}` ? [{ did, uri }] : [],
  );
  const people = rows.filter(({ did, uri }) => uri === null || uri === `at://${did}`);
  return { dids: [...new Set(people.map(({ did }) => did))], posts };
}
