import { DEPTH, hasPosts, type Question, type SeenPost, type SeenReply } from './questions.ts';
import { type Answer, authorization, send } from './send.ts';
import type { Door } from './surfaces.ts';

export function trpc(
  gateway: string,
  token: string | undefined,
  procedure: string,
  input?: unknown,
): Promise<Answer> {
  const query = input === undefined ? '' : `?input=${encodeURIComponent(JSON.stringify(input))}`;
  return send(`${gateway}/trpc/${procedure}${query}`, { headers: authorization(token) });
}

export const overTrpc: Door = {
  name: 'tRPC',
  ask: (gateway, token, { operation, ...args }) =>
    trpc(gateway, token, operation, inputOf(operation, args)),
  read(question, answer) {
    if (answer.status !== 200) throw answer;
    const { data } = JSON.parse(answer.body).result;
    switch (question.operation) {
      case 'timeline':
      case 'authorFeed':
      case 'search':
      case 'replies': {
        const { posts, unavailable, cursor, previousCursor } = data;
        const next = question.direction === 'backward' ? previousCursor : cursor;
        return { posts: posts.map(seePost), unavailable, cursor: next ?? undefined };
      }
      case 'post':
        return data && seePost(data);
      case 'posts':
        return data.map((post: SeenPost | null) => post && seePost(post));
      case 'thread':
        return data && { ancestors: data.ancestors.map(seePost), ...seeReply(data) };
      default:
        return data;
    }
  },
};

function inputOf(operation: Question['operation'], args: object): unknown {
  if (!hasPosts(operation)) return Object.keys(args).length > 0 ? args : undefined;
  return { ...args, counts: true, ...(operation === 'thread' && { depth: DEPTH }) };
}

/** What all surfaces say of a post. */
export function seePost(post: SeenPost): SeenPost {
  const { uri, cid, author, record, indexedAt, boundaries, facets, images } = post;
  return {
    ...{ uri, cid, author, record, indexedAt, boundaries, facets, images },
    external: post.external ?? null,
    quote: post.quote ? seePost(post.quote) : null,
    replyCount: post.replyCount ?? null,
    quoteCount: post.quoteCount ?? null,
  };
}

interface Reply {
  post: SeenPost;
  replies: { posts: Reply[]; cursor: string | null } | null;
}

function seeReply({ post, replies }: Reply): SeenReply {
  return {
    post: seePost(post),
    replies: replies && { posts: replies.posts.map(seeReply), hasMore: replies.cursor !== null },
  };
}
