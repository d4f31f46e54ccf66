import type { StratosClient } from '@stratos/client-trpc';

/** A page of a feed as the gateway answers. */
export type PostsPage = Awaited<ReturnType<StratosClient['timeline']['query']>>;
type WholePost = PostsPage['posts'][number];

/** A post as it is shown. Those that are told live come without what is counted or quoted. */
export type Post = Omit<WholePost, 'quote'> & Partial<Pick<WholePost, 'quote'>>;

export type Community = Awaited<ReturnType<StratosClient['boundaries']['query']>>[number];

/** What tells posts apart: two nodes may hold the same address. */
export function keyOf({ uri, node }: Pick<Post, 'uri' | 'node'>): string {
  return `${node} ${uri}`;
}

/** The name of a boundary, without its node. */
export function nameOf(boundary: string): string {
  return boundary.slice(boundary.lastIndexOf('/') + 1);
}

/** The node of a boundary, as people write it. */
export function hostOf(didOrBoundary: string): string {
  const did = didOrBoundary.split('/')[0] ?? '';
  return decodeURIComponent(did.replace(/^did:web:/, ''));
}
