import type { Boundary } from '@stratos/protocol';
import type { LiveDelivery, LiveEvent, Visible } from '@stratos/schema';
import type { Author } from '../hydration/authors.ts';
import type { HydratedPost } from '../hydration/posts.ts';
import { revealPost } from './reveal.ts';
import type { Scope } from './scope.ts';
import { visible } from './visible.ts';

type Removed = Extract<LiveEvent, { type: 'removed' }>;
/** What is about no post. */
export type Notice = Exclude<LiveEvent, { type: 'post' | 'removed' }>;

/** The event of a post that the scope's viewer may see, or undefined when they may not. */
export function revealShown(
  scope: Scope,
  post: HydratedPost,
  author: Author,
): Visible<LiveEvent> | undefined {
  const revealed = revealPost(scope, post, author);
  return revealed && visible<LiveEvent>({ type: 'post', post: revealed });
}

/**
 * The event of a post that is gone from some boundaries, for who may read in one of them: what was there
 * was theirs to see.
 */
export function revealRemoved(
  opens: (boundary: Boundary) => boolean,
  goneFrom: readonly Boundary[],
  { uri, node }: Omit<Removed, 'type'>,
): Visible<LiveEvent> | undefined {
  if (!goneFrom.some(opens)) return undefined;
  return visible<LiveEvent>({ type: 'removed', uri, node });
}

/** What a viewer is told of their own stream and their own boundaries. */
export function revealNotice(notice: Notice): Visible<LiveEvent> {
  return visible<LiveEvent>(notice);
}

/** An event that was found visible, with its place in a stream. */
export function revealDelivery(cursor: string, event: Visible<LiveEvent>): Visible<LiveDelivery> {
  return visible<LiveDelivery>({ cursor, event });
}
