import { type Boundary, parseAtUri } from '@stratos/protocol';
import type { UnavailablePostView, Visible } from '@stratos/schema';
import DataLoader from 'dataloader';
import { revealUnavailable } from '../access/reveal.ts';
import type { ScopedRead } from '../access/scope.ts';
import { postsSkeleton } from '../feeds/posts.ts';
import type { Candidate } from '../feeds/skeleton.ts';
import { createAuthorLoader } from '../hydration/authors.ts';
import { postKey } from '../hydration/posts.ts';

/** A post that its node did not give, and the boundary of which it was to be. */
export interface MissingPost {
  post: Candidate;
  within: Boundary | undefined;
}

/** What the viewer may know of posts that nodes did not give; undefined when that is nothing. */
export type UnavailableLoader = DataLoader<MissingPost, Visible<UnavailablePostView> | undefined>;

/**
 * Finds out of which posts the viewer may know. Nodes took their time, so the index is asked once more: only what
 * it has unchanged, in the scope of this moment, is told of.
 */
export function createUnavailableLoader(read: ScopedRead): UnavailableLoader {
  return new DataLoader(
    (missing) =>
      read(async (transaction, scope) => {
        const uris = new Set(missing.map(({ post }) => post.uri));
        const still = await postsSkeleton(transaction, scope, [...uris]);
        const cids = new Map(still.map((post) => [postKey(post), post.cid]));
        const authors = createAuthorLoader(transaction);
        const views = missing.map(async ({ post, within }) => {
          if (post.cid === null || cids.get(postKey(post)) !== post.cid) return undefined;
          const author = await authors.load(parseAtUri(post.uri).did);
          return revealUnavailable(scope, post, author, within);
        });
        return Promise.all(views);
      }),
    { cache: false },
  );
}
