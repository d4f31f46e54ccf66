import { Prisma } from '@stratos/prisma';
import type { Boundary, Did } from '@stratos/protocol';
import type { Scope } from '../access/scope.ts';
import {
  type Candidate,
  following,
  mergeBoundaries,
  type Slice,
  type Transaction,
} from './skeleton.ts';
import { narrow } from './timeline.ts';

export interface AuthorFeedQuery {
  author: Did;
  boundary: Boundary | undefined;
}

/** Posts of one author in the boundaries of the scope; all posts when the viewer is the author. */
export function authorFeedSkeleton(
  transaction: Transaction,
  scope: Scope,
  { author, boundary }: AuthorFeedQuery,
  slice: Slice,
): Promise<Candidate[]> {
  const query =
    author === scope.viewer
      ? ownPosts(author, boundary, slice)
      : mergeBoundaries(narrow(scope, boundary), author, slice);
  return transaction.$queryRaw<Candidate[]>(query);
}

function ownPosts(
  author: Did,
  boundary: Boundary | undefined,
  { after, limit }: Slice,
): Prisma.Sql {
  const within = boundary ? Prisma.sql`and ${boundary} = any(p.boundaries)` : Prisma.empty;
  return Prisma.sql`
    select p.sort_at as "sortAt", p.uri, p.node_did as node, p.cid
    from stratos_post p
    where p.did = ${author} ${within} ${following(Prisma.sql`p`, after)}
    order by p.sort_at desc, p.uri desc, p.node_did desc
    limit ${limit}`;
}
