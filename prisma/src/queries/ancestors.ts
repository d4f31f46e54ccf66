import type { AtUri, Boundary, Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import type { FoundPost } from './found-post.ts';
import type { Transaction } from './transaction.ts';

/**
 * What a post answers, what that answers, and so on, nearest first. It ends at the first that is in none
 * of the boundaries, whether there is such a post or not, and after `limit`.
 *
 * One probe for each step and boundary, by equality.
 */
export function ancestors(
  transaction: Transaction,
  { of, boundaries, limit }: AncestorsInput,
): Promise<FoundPost[]> {
  const scope = [...boundaries];
  const parentOf = (child: Prisma.Sql) => Prisma.sql`
    select p.sort_at, p.uri, p.node_did, p.cid, p.reply_parent
    from unnest(${scope}::text[]) as scope(boundary)
    cross join lateral (
      select pb.uri, pb.node_did
      from stratos_post_boundary pb
      where pb.uri = ${child}.reply_parent and pb.boundary = scope.boundary
      limit 1
    ) as pb
    join stratos_post p on p.uri = pb.uri and p.node_did = pb.node_did
    left join stratos_stub s on s.uri = p.uri and s.node_did = p.node_did
    order by s.uri is null, p.node_did
    limit 1`;
  return transaction.$queryRaw<FoundPost[]>(Prisma.sql`
    with recursive chain as (
      select 1 as step, parent.*
      from stratos_post child cross join lateral (${parentOf(Prisma.sql`child`)}) as parent
      where child.uri = ${of.uri} and child.node_did = ${of.node}
      union all
      select chain.step + 1, parent.*
      from chain cross join lateral (${parentOf(Prisma.sql`chain`)}) as parent
      where chain.step < ${limit}
    )
    select sort_at as "sortAt", uri, node_did as node, cid from chain order by step`);
}

export interface AncestorsInput {
  /** A post that was found before. */
  of: { uri: AtUri; node: Did };
  boundaries: Iterable<Boundary>;
  limit: number;
}
