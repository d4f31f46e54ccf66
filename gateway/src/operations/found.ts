import { type Boundary, parseAtUri } from '@stratos/protocol';
import type { PostView, UnavailablePostView, Visible } from '@stratos/schema';
import { revealPost } from '../access/reveal.ts';
import type { Scope, ScopedRead } from '../access/scope.ts';
import type { Candidate, Position, Transaction } from '../feeds/skeleton.ts';
import type { Author } from '../hydration/authors.ts';
import { type Hydrated, readPosts, type StoredPost } from '../hydration/posts.ts';
import type { Hydration } from './request.ts';

/** What was found for a viewer, and the scope that it was found by. */
export interface Found {
  scope: Scope;
  posts: StoredPost[];
}

/** A post that the viewer may see, or that they may know of while its node does not give it. */
export type Revealed = { position: Position } & (
  | { post: Visible<PostView>; unavailable?: never }
  | { post?: never; unavailable: Visible<UnavailablePostView> }
);

type MaybeLater = Revealed | undefined | Promise<Revealed | undefined>;

/** Finds posts and reads their contents, as of one moment. */
export function findPosts(
  read: ScopedRead,
  skeleton: (transaction: Transaction, scope: Scope) => Promise<Candidate[]>,
): Promise<Found> {
  return read(async (transaction, scope) => ({
    scope,
    posts: await readPosts(transaction, await skeleton(transaction, scope)),
  }));
}

/** The posts that are what they were and that the scope's viewer may see, or know of, in their order. */
export function revealAll(
  { hydrate, authors, unavailable: missing }: Hydration,
  { scope, posts }: Found,
  within?: Boundary,
): Promise<(Revealed | undefined)[]> {
  const reveal = (position: Candidate, hydrated: Hydrated, author: Author): MaybeLater => {
    if (hydrated === 'unavailable') return nameMissing(position);
    const post = hydrated && revealPost(scope, hydrated, author, within);
    return post && { position, post };
  };
  const nameMissing = async (position: Candidate) => {
    const unavailable = await missing.load({ post: position, within });
    return unavailable && { position, unavailable };
  };
  return Promise.all(
    posts.map((stored): MaybeLater => {
      const { candidate } = stored;
      const hydrated = hydrate(stored);
      const author = stored.author ?? authors.load(parseAtUri(candidate.uri).did);
      return hydrated instanceof Promise || author instanceof Promise
        ? Promise.all([hydrated, author]).then(([post, by]) => reveal(candidate, post, by))
        : reveal(candidate, hydrated, author);
    }),
  );
}
