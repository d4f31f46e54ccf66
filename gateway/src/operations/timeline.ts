import type { TimelineInput, VisiblePostPage } from '@stratos/schema';
import { timelinePosts } from '../feeds/timeline.ts';
import { type Feed, readPage } from './page.ts';
import type { Request } from './request.ts';

export function timeline(request: Request, input: TimelineInput): Promise<VisiblePostPage> {
  const { viewer, reads } = request;
  const { boundary } = input;
  const feed: Feed = {
    operation: 'timeline',
    arguments: { boundary },
    within: boundary,
    find: (slice) => timelinePosts(reads, { viewer, boundary, ...slice }),
  };
  return readPage(request, feed, input);
}
