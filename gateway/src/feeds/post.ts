import { ownPostsAt, postsAt, type Transaction } from '@stratos/prisma/queries';
import type { AtUri, Did } from '@stratos/protocol';
import { isAuthor } from '../access/reveal.ts';
import type { Scope } from '../access/scope.ts';
import type { Candidate } from './skeleton.ts';

export interface PostQuery {
  uri: AtUri;
  /** Only the one that this node holds. */
  node?: Did | undefined;
}

/**
 * The posts at an address that the scope allows, the best first: that of the node which the stub on
 * the author's PDS names, then by the DID of the node.
 */
export async function postSkeleton(
  transaction: Transaction,
  scope: Scope,
  { uri, node }: PostQuery,
): Promise<Candidate[]> {
  const found = isAuthor(scope, uri)
    ? await ownPostsAt(transaction, { uri, author: scope.viewer })
    : await postsAt(transaction, { uris: [uri], boundaries: scope.boundaries });
  return node ? found.filter((post) => post.node === node) : found;
}
