import type { LiveEvent } from './live.svelte.ts';
import { keyOf, type Post } from './posts.ts';

/**
 * What of a post may still be shown after an event: all of it, less boundaries, or undefined where nothing may
 * be. Whatever was lost goes at once, without asking anybody.
 */
export function remaining(post: Post, event: LiveEvent): Post | undefined {
  switch (event.type) {
    case 'opened': {
      const open = new Set<string>(event.boundaries);
      return within(post, (boundary) => open.has(boundary));
    }
    case 'boundaryClosed': {
      return within(post, (boundary) => boundary !== event.boundary);
    }
    case 'removed': {
      return keyOf(post) === keyOf(event) ? undefined : post;
    }
    case 'closed': {
      return event.reason === 'accessLost' ? undefined : post;
    }
    default: {
      return post;
    }
  }
}

function within(post: Post, holds: (boundary: string) => boolean): Post | undefined {
  const boundaries = post.boundaries.filter(holds);
  if (boundaries.length === post.boundaries.length) return post;
  return boundaries.length > 0 ? { ...post, boundaries } : undefined;
}
