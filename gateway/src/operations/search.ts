import type { SearchInput, VisiblePostPage } from '@stratos/schema';
import { searchSkeleton } from '../feeds/search.ts';
import { checkText } from './check-input.ts';
import { findPosts } from './found.ts';
import { type Feed, readPage } from './page.ts';
import type { Request } from './request.ts';

export async function search(request: Request, input: SearchInput): Promise<VisiblePostPage> {
  const { boundary } = input;
  const text = checkText(input.text);
  const feed: Feed = {
    operation: 'search',
    arguments: { boundary, text },
    within: boundary,
    find: (slice) =>
      findPosts(request.read, (transaction, scope) =>
        searchSkeleton(transaction, scope, { text, boundary }, slice),
      ),
  };
  return readPage(request, feed, input);
}
