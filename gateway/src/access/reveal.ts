import {
  type AtUri,
  type Boundary,
  boundaryNode,
  type Did,
  InvalidBoundaryError,
  parseAtUri,
  recordBoundaries,
} from '@stratos/protocol';
import type { PostView, ViewerView, Visible } from '@stratos/schema';
import type { Author } from '../hydration/authors.ts';
import type { HydratedPost } from '../hydration/posts.ts';
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
  const boundaries = boundariesOf(post);
  const shared = isOwn
    ? boundaries
    : boundaries.filter((boundary) => scope.boundaries.has(boundary));
  if (shared.length === 0 && !isOwn) return undefined;
  if (within && !shared.includes(within)) return undefined;
  return visible(presentPost(post, shared, author.handle));
}

/** The viewer, as they see themselves. */
export function revealViewer(scope: Scope, handle: string): Visible<ViewerView> {
  return visible({ did: scope.viewer, handle, boundaries: [...scope.boundaries] });
}

/** Whether the scope's viewer wrote what is at this address. */
export function isAuthor(scope: Scope, uri: AtUri): boolean {
  return parseAtUri(uri).did === scope.viewer;
}

/** Those that the record names and its node may speak for. What cannot be read names none. */
function boundariesOf({ value, node }: { value: HydratedPost['value']; node: Did }): Boundary[] {
  try {
    return recordBoundaries(value, node).filter((boundary) => boundaryNode(boundary) === node);
  } catch (error) {
    if (error instanceof InvalidBoundaryError) return [];
    throw error;
  }
}
