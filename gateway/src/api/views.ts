import type { zone } from '@stratos/protocol/lexicons';
import type { PostView, Visible, VisiblePostPage } from '@stratos/schema';

type LexiconPost = zone.stratos.feed.defs.PostView;
type LexiconFeed = zone.stratos.feed.getTimeline.$OutputBody;

/** A post in the shape of the lexicon, against which the server checks what it sends. */
export function postView(post: Visible<PostView>): LexiconPost {
  const { uri, cid, author, record, boundaries, indexedAt } = post;
  return { uri, cid, author, record, boundaries, indexedAt } as LexiconPost;
}

/** A page in the shape of the lexicons. */
export function feedView({ edges, hasNextPage }: VisiblePostPage): LexiconFeed {
  const cursor = hasNextPage ? edges.at(-1)?.cursor : undefined;
  return { feed: edges.map(({ node }) => ({ post: postView(node) })), ...(cursor && { cursor }) };
}
