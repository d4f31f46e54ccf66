import type { TimelineInput, VisiblePostPage } from '@stratos/schema';
import { timelineSkeleton } from '../feeds/timeline.ts';
import { findPosts } from './found.ts';
import { type Feed, readPage } from './page.ts';
import type { Request } from './request.ts';

export function timeline(request: Request, input: TimelineInput): Promise<VisiblePostPage> {
  const { boundary } = input;
  const feed: Feed = {
    operation: 'timeline',
    arguments: { boundary },
    within: boundary,
    find: (slice) =>
      findPosts(request.read, (transaction, scope) =>
        timelineSkeleton(transaction, scope, boundary, slice),
      ),
  };
  return readPage(request, feed, input);
}
