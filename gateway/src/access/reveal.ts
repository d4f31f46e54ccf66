import { type AtUri, type Boundary, parseAtUri } from '@stratos/protocol';
import type { PostView, UnavailablePostView, ViewerView, Visible } from '@stratos/schema';
import type { Author } from '../hydration/authors.ts';
import type { HydratedPost } from '../hydration/posts.ts';
import { contentOf } from './post-content.ts';
import { presentPost } from './present.ts';
import type { Scope } from './scope.ts';
import { visible } from './visible.ts';

/**
 * A post as the scope's viewer may see it, or undefined when they may not. Decided by the signed
 * record alone, whatever found it. Its author sees all of it; others need a boundary in common, and
 * an author whose account is in use.
 *
 * @param within - only if the post is in this boundary
 */
export function revealPost(
  scope: Scope,
  post: HydratedPost,
  author: Author,
  within?: Boundary,
): Visible<PostView> | undefined {
  const isOwn = isAuthor(scope, post.uri);
  if (!isOwn && !author.active) return undefined;
  const { boundaries } = contentOf(post);
  const shared = isOwn
    ? boundaries
    : boundaries.filter((boundary) => scope.boundaries.has(boundary));
  if (shared.length === 0 && !isOwn) return undefined;
  if (within && !shared.includes(within)) return undefined;
  return visible(presentPost(post, shared, author.handle));
}

/**
 * That a post of the index cannot be had, or undefined when the scope's viewer may not know that there is one. Who
 * may see it is known by the index alone, so the query that found it has to look for it in the scope.
 *
 * @param within - only if the viewer reads this boundary
 */
export function revealUnavailable(
  scope: Scope,
  { uri, node }: UnavailablePostView,
  author: Author,
  within?: Boundary,
): Visible<UnavailablePostView> | undefined {
  if (!isAuthor(scope, uri)) {
    if (!author.active) return undefined;
    if (within && !scope.boundaries.has(within)) return undefined;
  }
  return visible({ uri, node });
}

/** The viewer, as they see themselves. */
export function revealViewer(scope: Scope, handle: string): Visible<ViewerView> {
  return visible({ did: scope.viewer, handle, boundaries: [...scope.boundaries] });
}

/** Whether the scope's viewer wrote what is at this address. */
export function isAuthor(scope: Scope, uri: AtUri): boolean {
  return parseAtUri(uri).did === scope.viewer;
}
