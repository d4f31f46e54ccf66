import type { AuthorFeedInput, VisiblePostPage } from '@stratos/schema';
import { actorDid } from '../feeds/actor.ts';
import { authorFeedSkeleton } from '../feeds/author-feed.ts';
import { checkActor } from './check-input.ts';
import { findPosts } from './found.ts';
import { type Feed, readPage } from './page.ts';
import type { Request } from './request.ts';

export async function authorFeed(
  request: Request,
  input: AuthorFeedInput,
): Promise<VisiblePostPage> {
  const { boundary } = input;
  const actor = checkActor(input.actor);
  const feed: Feed = {
    operation: 'authorFeed',
    arguments: { boundary, actor },
    within: boundary,
    find: (slice) =>
      findPosts(request.read, async (transaction, scope) => {
        const author = await actorDid(transaction, actor);
        return authorFeedSkeleton(transaction, scope, { author, boundary }, slice);
      }),
  };
  return readPage(request, feed, input);
}
