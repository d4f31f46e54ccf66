import type { RepliesInput, VisiblePostPage } from '@stratos/schema';
import { type Feed, readPage } from './page.ts';
import type { Request } from './request.ts';

export async function replies(request: Request, input: RepliesInput): Promise<VisiblePostPage> {
  const { uri } = input;
  const feed: Feed = {
    operation: 'replies',
    arguments: { uri },
    find: (slice) => request.replies.load(uri, slice),
  };
  return readPage(request, feed, input);
}
