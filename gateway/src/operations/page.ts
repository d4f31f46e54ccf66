import { type Boundary, parseAtUri } from '@stratos/protocol';
import type { PostView, Visible, VisiblePostPage } from '@stratos/schema';
import { revealPost } from '../access/reveal.ts';
import type { Scope } from '../access/scope.ts';
import type { Position, Slice } from '../feeds/skeleton.ts';
import type { AuthorLoader } from '../hydration/authors.ts';
import type { PostHydrator, StoredPost } from '../hydration/posts.ts';

/** What completes the posts of one request. */
export interface Hydration {
  hydrate: PostHydrator;
  authors: AuthorLoader;
}

/** What was found for a viewer, and the scope that it was found by. */
export interface Found {
  scope: Scope;
  posts: StoredPost[];
}

export interface PageQuery {
  first: number;
  after: Position | undefined;
  /** Only posts that are in this boundary. */
  within: Boundary | undefined;
}

interface Revealed {
  position: Position;
  post: Visible<PostView>;
}

/**
 * A page of visible posts. What fails verification is made up for by what follows it, so that a
 * page is full or the last.
 */
export async function readPage(
  hydration: Hydration,
  { first, after, within }: PageQuery,
  find: (slice: Slice) => Promise<Found>,
  seal: (position: Position) => string,
): Promise<VisiblePostPage> {
  const wanted = first + 1;
  const revealed: Revealed[] = [];
  for (let from = after, more = true; more && revealed.length < wanted; ) {
    const found = await find({ after: from, limit: wanted });
    const posts = await revealAll(hydration, found, within);
    revealed.push(...posts.filter((post) => post !== undefined));
    from = found.posts.at(-1)?.candidate;
    more = found.posts.length === wanted;
  }
  return {
    edges: revealed.slice(0, first).map(({ position, post }) => edge(post, () => seal(position))),
    hasNextPage: revealed.length > first,
  };
}

/** The posts that are what they were and that the scope's viewer may see, in their order. */
export function revealAll(
  { hydrate, authors }: Hydration,
  { scope, posts }: Found,
  within?: Boundary,
): Promise<(Revealed | undefined)[]> {
  return Promise.all(
    posts.map(async (stored) => {
      const { candidate } = stored;
      const [hydrated, author] = await Promise.all([
        hydrate(stored),
        authors.load(parseAtUri(candidate.uri).did),
      ]);
      const post = hydrated && revealPost(scope, hydrated, author, within);
      return post && { position: candidate, post };
    }),
  );
}

/** An edge whose cursor is made when somebody asks for it. */
function edge(node: Visible<PostView>, cursor: () => string) {
  return {
    node,
    get cursor() {
      return cursor();
    },
  };
}
