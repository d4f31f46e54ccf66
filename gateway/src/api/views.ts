import type { zone } from '@stratos/protocol/lexicons';
import type { PostsPage, PostView, ReplyTree, Visible, WholePost } from '@stratos/schema';

type LexiconPost = zone.stratos.feed.defs.PostView;
type LexiconFeed = zone.stratos.feed.getTimeline.$OutputBody;
type LexiconPosts = zone.stratos.feed.getReplies.$OutputBody;
type LexiconThread = zone.stratos.feed.getPostThread.ThreadPost;

/** A post in the shape of the lexicon, against which the server checks what it sends. */
export function postView(post: Visible<WholePost>): LexiconPost {
  const { quote, replyCount, quoteCount } = post;
  return withoutNothing({
    ...quotedPost(post),
    quote: quote && quotedPost(quote),
    replyCount,
    quoteCount,
  }) as LexiconPost;
}

/** A page in the shape of the feeds' lexicons. */
export function feedView({ posts, ...page }: PostsPage): LexiconFeed {
  return withoutNothing({ feed: posts.map((post) => ({ post: postView(post) })), ...page });
}

/** A page in the shape of the other lexicons. */
export function postsView({ posts, ...page }: PostsPage): LexiconPosts {
  return withoutNothing({ posts: posts.map(postView), ...page });
}

/** A thread in the shape of its lexicon. */
export function threadView({ post, replies }: ReplyTree): LexiconThread {
  return withoutNothing({
    post: postView(post),
    replies: replies && withoutNothing({ ...replies, posts: replies.posts.map(threadView) }),
  });
}

export function quotedPost(post: Visible<PostView>) {
  const { uri, cid, author, record, facets, images, external, boundaries, indexedAt } = post;
  return withoutNothing({
    ...{ uri, cid, author, record, boundaries, indexedAt },
    facets: facets.map(withoutNothing),
    images: images.map(withoutNothing),
    external: external && withoutNothing(external),
  });
}

type WithoutNothing<T> = {
  [Key in keyof T as null extends T[Key] ? never : undefined extends T[Key] ? never : Key]: T[Key];
} & {
  [Key in keyof T as null extends T[Key]
    ? Key
    : undefined extends T[Key]
      ? Key
      : never]?: NonNullable<T[Key]>;
};

/** Lexicons have no null for what is not there. */
function withoutNothing<T extends object>(view: T): WithoutNothing<T> {
  const given = Object.entries(view).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(given) as WithoutNothing<T>;
}
