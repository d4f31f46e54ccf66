import type { Operations, VisiblePostPage, VisibleReply, VisibleThread } from './operations.ts';
import type { PostCounts, PostView, UnavailablePostView } from './views.ts';
import type { Visible } from './visible.ts';

/**
 * A post and what else there is to be seen of it, as tRPC and XRPC send it in one answer. In GraphQL the
 * same are fields, looked up when they are asked for.
 */
export interface WholePost extends PostView, Partial<PostCounts> {
  /** The post that it quotes; null when it quotes none, or none that the viewer may see. */
  quote: Visible<PostView> | null;
}

export interface WholePostOptions {
  /** Whether to count replies and quotes, too. */
  counts?: boolean | undefined;
}

/** One page of a feed. */
export interface PostsPage {
  posts: Visible<WholePost>[];
  /** Posts that the page would have, too, if their nodes answered. */
  unavailable: Visible<UnavailablePostView>[];
  /** Where the next page begins; null when there is none. */
  cursor: string | null;
  /** Where the page before this one ends, for going backward; null when there is none. */
  previousCursor: string | null;
}

/** A post in a thread. */
export interface ReplyTree {
  post: Visible<WholePost>;
  /** What answers it, oldest first; null where the thread goes no deeper. */
  replies: {
    posts: ReplyTree[];
    /** Those that would be there, too, if their nodes answered. */
    unavailable: Visible<UnavailablePostView>[];
    cursor: string | null;
  } | null;
}

export interface ThreadTree extends ReplyTree {
  /** What it answers, what that answers, and so on; the uppermost first. */
  ancestors: Visible<WholePost>[];
}

/** How a page was asked for by limit and cursor. */
export type Direction = 'forward' | 'backward';

export async function wholePost(
  operations: Operations,
  post: Visible<PostView>,
  options: WholePostOptions,
): Promise<Visible<WholePost>> {
  const [quote, counts] = await Promise.all([
    operations.quoted(post),
    options.counts ? operations.counts(post) : undefined,
  ]);
  return { ...post, quote, ...counts };
}

/**
 * A page with the cursors beside it. In the direction in which it was asked for, no cursor means the end;
 * in the other one the cursor leads back to where the caller came from, or to what is new since.
 */
export async function wholePage(
  operations: Operations,
  page: VisiblePostPage,
  options: WholePostOptions & { direction?: Direction | undefined },
): Promise<PostsPage> {
  const { edges, unavailable } = page;
  const isBackward = options.direction === 'backward';
  const posts = await Promise.all(edges.map(({ node }) => wholePost(operations, node, options)));
  const hasNext = isBackward || (await page.hasNextPage());
  const hasPrevious = !isBackward || (await page.hasPreviousPage());
  return {
    posts,
    unavailable,
    cursor: hasNext ? page.endCursor : null,
    previousCursor: hasPrevious ? page.startCursor : null,
  };
}

export async function wholeThread(
  operations: Operations,
  thread: VisibleThread,
  options: WholePostOptions,
): Promise<ThreadTree> {
  const [ancestors, tree] = await Promise.all([
    Promise.all(thread.ancestors.map((post) => wholePost(operations, post, options))),
    replyTree(operations, thread, options),
  ]);
  return { ancestors, ...tree };
}

async function replyTree(
  operations: Operations,
  { post, replies }: VisibleReply,
  options: WholePostOptions,
): Promise<ReplyTree> {
  const [whole, answers] = await Promise.all([
    wholePost(operations, post, options),
    Promise.all((replies?.posts ?? []).map((reply) => replyTree(operations, reply, options))),
  ]);
  if (!replies) return { post: whole, replies: null };
  const { page } = replies;
  const cursor = (await page.hasNextPage()) ? page.endCursor : null;
  return { post: whole, replies: { posts: answers, unavailable: page.unavailable, cursor } };
}
