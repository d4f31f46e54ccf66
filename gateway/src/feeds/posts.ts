import { ownPostsAt, postsAt, type Transaction } from '@stratos/prisma/queries';
import type { AtUri } from '@stratos/protocol';
import { isAuthor } from '../access/reveal.ts';
import type { Scope } from '../access/scope.ts';
import type { Candidate } from './skeleton.ts';

/**
 * The posts at some addresses that the scope allows, in no order but that of the posts at one address: the
 * best is first, that of the node which the stub on the author's PDS names, then by the DID of the node.
 */
export async function postsSkeleton(
  transaction: Transaction,
  scope: Scope,
  uris: readonly AtUri[],
): Promise<Candidate[]> {
  const own = uris.filter((uri) => isAuthor(scope, uri));
  const others = uris.filter((uri) => !isAuthor(scope, uri));
  const { viewer: author, boundaries } = scope;
  return [
    ...(own.length > 0 ? await ownPostsAt(transaction, { uris: own, author }) : []),
    ...(others.length > 0 ? await postsAt(transaction, { uris: others, boundaries }) : []),
  ];
}
