import { isAtUri } from '@stratos/protocol';
import type { PostView, ThreadInput, Visible, VisibleReply, VisibleThread } from '@stratos/schema';
import { ancestorsSkeleton } from '../feeds/ancestors.ts';
import { checkThread } from './check-input.ts';
import { findPosts, revealAll } from './found.ts';
import { post, postsAt } from './posts.ts';
import { replies } from './replies.ts';
import type { Request } from './request.ts';

/** Ancestors that are asked for at their nodes, one after another. */
const MOST_AHEAD = 3;

export async function thread(request: Request, input: ThreadInput): Promise<VisibleThread | null> {
  const { uri, height, depth, limit } = checkThread(input);
  const start = await post(request, { uri });
  if (!start) return null;
  const above = await ancestors(request, start, height);
  const below = await replyTree(request, start, { depth, limit });
  return { ancestors: above, ...below };
}

/**
 * What a post answers, what that answers, and so on, up to the first that is not to be seen. Where the index ends,
 * a few more are asked for at their nodes.
 */
async function ancestors(
  request: Request,
  start: Visible<PostView>,
  height: number,
): Promise<Visible<PostView>[]> {
  if (start.replyParent === null || height === 0) return [];
  request.budget.spend(height);
  const chain: Visible<PostView>[] = [];
  for (let ahead = 0; ; ahead += 1) {
    const top = chain[0] ?? start;
    chain.unshift(...(await indexedAncestors(request, top, height - chain.length)));
    const { replyParent } = chain[0] ?? start;
    if (!isAtUri(replyParent) || chain.length === height || ahead === MOST_AHEAD) return chain;
    const [parent] = await postsAt(request, replyParent);
    if (!parent) return chain;
    chain.unshift(parent);
  }
}

/** The same of a post of the index, as far as the index goes. */
async function indexedAncestors(
  request: Request,
  of: Visible<PostView>,
  limit: number,
): Promise<Visible<PostView>[]> {
  if (of.replyParent === null || limit === 0) return [];
  const found = await findPosts(request.read, (transaction, scope) =>
    ancestorsSkeleton(transaction, scope, of, limit),
  );
  const chain: Visible<PostView>[] = [];
  let below: PostView = of;
  for (const revealed of await revealAll(request, found)) {
    const { post } = revealed ?? {};
    if (post?.uri !== below.replyParent) break;
    chain.unshift(post);
    below = post;
  }
  return chain;
}

/**
 * The replies to a post, to these, and so on, level by level, all of a level at once. When the budget of the
 * request is used up, it goes no deeper.
 */
async function replyTree(
  request: Request,
  start: Visible<PostView>,
  { depth, limit }: { depth: number; limit: number },
): Promise<VisibleReply> {
  const root: VisibleReply = { post: start, replies: null };
  let level = [root];
  for (let above = 0; above < depth; above++) {
    const affordable = Math.floor(request.budget.left / limit);
    const answered = level.slice(0, affordable).map(async (reply) => {
      const page = await replies(request, { uri: reply.post.uri, first: limit });
      const posts = page.edges.map(({ node }) => ({ post: node, replies: null }));
      reply.replies = { page, posts };
      return posts;
    });
    level = (await Promise.all(answered)).flat();
  }
  return root;
}
